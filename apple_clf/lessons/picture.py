"""A lesson's picture: the same curve of each experiment in one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from apple_clf.lessons.measures import start_gradients
from apple_clf.plots.drawing import COLORS, house_style, new_figure, png, readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from apple_clf.arrays import FloatArray
    from apple_clf.diagnosis import Record

STYLES = ("-", ":")
WORDS = {
    "loss": "training loss",
    "accuracy": "training accuracy",
    "val_loss": "validation loss",
    "val_accuracy": "validation accuracy",
}
LOWEST = 1e-9  # a gradient of 0 has no place on a logarithmic axis


def draw(records: Mapping[str, Record], *, show: str | Sequence[str], title: str) -> bytes:
    """PNG with a line of its own for each experiment, 800 x 340 pixels.

    Args:
        records: by the experiment's name, at most 7.
        show: `gradients`, each layer's before the training, or one or two columns of the history,
            the second one dotted.
        title: of the picture.
    """
    from matplotlib.ticker import MaxNLocator

    with house_style():
        figure = new_figure(height=340)
        axes = figure.add_axes((0.09, 0.15, 0.7, 0.74), title=title)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10, min_n_ticks=1))
        if isinstance(show, str):
            _draw_gradients(axes, records)
        else:
            _draw_curves(axes, records, columns=show)
        return png(figure)


def _draw_gradients(axes: Axes, records: Mapping[str, Record]) -> None:
    axes.set(yscale="log", xlabel="Layer, from input to output", ylabel="Gradient at the start")
    lines = {}
    for (name, record), color in zip(records.items(), COLORS, strict=False):
        norms = np.maximum(start_gradients(record), LOWEST)
        axes.plot(np.arange(1, len(norms) + 1), norms, "o-", color=color, markersize=5)
        lines[name] = norms
    _name_lines(axes, {name: float(np.log10(norms[-1])) for name, norms in lines.items()})


def _draw_curves(axes: Axes, records: Mapping[str, Record], *, columns: Sequence[str]) -> None:
    axes.set_xlabel("Epoch")
    axes.set_ylabel("; dotted: ".join(WORDS[column] for column in columns).capitalize())
    ends = {}
    for (name, record), color in zip(records.items(), COLORS, strict=False):
        for column, style in zip(columns, STYLES, strict=False):
            values = np.array(record.history[column], np.float64)
            marker = "o" if len(values) == 1 else None
            epochs = np.arange(1, len(values) + 1)
            axes.plot(epochs, values, style, color=color, marker=marker)
        ends[name] = float(record.history[columns[0]][-1])
    _name_lines(axes, ends)


def _name_lines(axes: Axes, ends: Mapping[str, float]) -> None:
    """Writes the names beside the frame, in the order of the lines' ends, and far enough apart."""
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
