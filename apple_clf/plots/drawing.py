"""What every picture shares: size, colours, fonts, names made fit to draw, and PNG bytes.

matplotlib is imported when the first picture is drawn, and its pyplot, which would look for a
screen, never.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from apple_clf.arrays import FloatArray

WIDTH = 800  # pixels
INK, FAINT = "#222222", "#767676"  # both dark enough to read on white
# Okabe and Ito 2008: told apart by colour-blind readers; yellow is left out, too pale for lines
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_DPI = 100
_FONT = "DejaVu Sans"  # comes with matplotlib, so a picture does not depend on the machine
_HOUSE_STYLE: dict[Any, object] = {  # matplotlib lists the keys it takes as literals
    "font.family": _FONT,
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 2,
}


@contextmanager
def house_style() -> Iterator[None]:
    """The house look while a picture is drawn, whatever a user's matplotlibrc says."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_HOUSE_STYLE)
        yield


def new_figure(*, height: int) -> Figure:
    """An empty figure, 800 pixels wide.

    Args:
        height: pixels.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH / _DPI, height / _DPI), dpi=_DPI)


def png(figure: Figure) -> bytes:
    """The figure as a PNG without date or software, so that equal pictures are equal bytes."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def readable(name: str, length: int) -> str:
    """The name as a picture can show it: shortened, every character drawn, none taken for markup.

    Args:
        name: any text, also of control characters or undecodable bytes.
        length: most characters.
    """
    kept = name if len(name) <= length else name[: length - 1] + "…"
    shown = "".join(c if c.isprintable() and ord(c) in _glyphs() else "\ufffd" for c in kept)
    return shown.replace("$", r"\$")  # a pair would be read as mathematics


def name_lines(axes: Axes, ends: Mapping[str, float]) -> None:
    """Writes names beside the frame, in the order of the lines' ends, and far enough apart.

    Args:
        axes: with all lines drawn, in the colours of `COLORS`.
        ends: by name the last value of its line; its logarithm to 10 if the axis is logarithmic.
    """
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log":
        low, high = np.log10([low, high])
    order = sorted(ends, key=lambda name: ends[name])
    heights = _apart(np.array([(ends[name] - low) / (high - low) for name in order]), 0.09)
    colors = dict(zip(ends, COLORS, strict=False))
    for name, height in zip(order, heights, strict=True):
        words = readable(name, 20)
        axes.text(1.02, height, words, color=colors[name], va="center", transform=axes.transAxes)


def _apart(heights: FloatArray, gap: float) -> FloatArray:
    """Ascending heights moved until each is a gap above the one before, and none above 1."""
    moved = heights.copy()
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    for i in range(len(moved) - 1, -1, -1):
        moved[i] = min(moved[i], 1 - gap * (len(moved) - 1 - i))
    return moved


@cache
def _glyphs() -> frozenset[int]:
    """Code points the font can draw; matplotlib warns of others and draws empty boxes."""
    from matplotlib import font_manager

    return frozenset(font_manager.get_font(font_manager.findfont(_FONT)).get_charmap())
