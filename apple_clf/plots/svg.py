"""Numbers -> the geometry of a chart, which a template draws as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from apple_clf.arrays import FloatArray

WIDTH, HEIGHT = 400, 250
LEFT, RIGHT, TOP, BOTTOM = 50, 394, 8, 206  # edges of what is drawn, in the units of the viewBox
MAX_POINTS = 400  # of a line: about one a unit


@dataclass(frozen=True)
class Line:
    """Numbers to be joined by a line; gaps where they are not finite."""

    label: str
    x: FloatArray
    y: FloatArray
    value: str = ""  # told beside the label
    style: int = 0  # colour and dashes
    dots: bool = False  # dots alone, not joined
    spread: tuple[FloatArray, FloatArray] | None = None  # lower and upper end of an interval


@dataclass(frozen=True)
class Bars:
    """Heights over bins of equal width that fill the whole axis."""

    heights: FloatArray
    style: int = 0


@dataclass(frozen=True)
class Axis:
    """From where to where, in numbers."""

    label: str
    low: float
    high: float
    log: bool = False
    whole: bool = False  # ticks at whole numbers only

    def place(self, values: FloatArray, start: float, end: float) -> FloatArray:
        """Where values lie between two positions."""
        low, high = self.low, self.high
        values = np.asarray(values, np.float64)
        if self.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                values, low, high = np.log10(values), math.log10(low), math.log10(high)
        placed: FloatArray = start + (values - low) / (high - low) * (end - start)
        return placed

    def ticks(self) -> list[tuple[float, str]]:
        """Round numbers, two to ten, and how they are written."""
        if self.log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            step = max(1, math.ceil((last - first) / 5))
            return [(10.0**power, number(10.0**power)) for power in range(first, last + 1, step)]
        rough = (self.high - self.low) / 5
        power = math.floor(math.log10(rough))
        factor = next(each for each in (1, 2, 5, 10) if each * 10.0**power >= rough * 0.999)
        space = max(factor * 10.0**power, 1.0 if self.whole else 0.0)
        first, last = math.ceil(self.low / space - 1e-9), math.floor(self.high / space + 1e-9)
        decimals = max(0, -math.floor(math.log10(space) + 1e-9))
        values = [float(f"{i * space:.12g}") for i in range(first, last + 1)]
        plain = decimals <= 4 and max(map(abs, values), default=0) < 1e6
        return [(v, f"{v:,.{decimals}f}" if plain else number(v)) for v in values]


@dataclass(frozen=True)
class Shape:
    """What is drawn of one line."""

    style: int
    path: str
    dots: list[tuple[float, float]]
    spreads: list[tuple[float, float, float]]  # x, and the y of both ends


@dataclass(frozen=True)
class Chart:
    """A chart, in the units of a viewBox of `WIDTH` by `HEIGHT`."""

    title: str
    summary: str  # in words, for who cannot see it
    x_label: str
    y_label: str
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    legend: list[tuple[str, str, int, bool]]  # label, value, style, whether it is dots
    shapes: list[Shape]
    bars: list[tuple[float, float, float, float, int]]  # x, y, width, height, style
    guide: str = ""  # path of a faint line, such as that of guessing
    marker: float | None = None  # x of an upright line
    marker_label: str = ""
    frame: tuple[int, int, int, int] = (LEFT, RIGHT, TOP, BOTTOM)
    size: tuple[int, int] = field(default=(WIDTH, HEIGHT))


def draw(
    title: str,
    lines: Sequence[Line],
    *,
    x: Axis,
    y: Axis,
    summary: str,
    bars: Sequence[Bars] = (),
    diagonal: bool = False,
    marker: float | None = None,
    marker_label: str = "",
) -> Chart:
    """The chart of some lines and bars.

    Args:
        title: above it.
        lines: drawn in this order; long ones are thinned out.
        x: horizontal axis.
        y: vertical axis.
        summary: what it shows, in words and numbers.
        bars: drawn below the lines.
        diagonal: a faint line from corner to corner.
        marker: where an upright line stands.
        marker_label: what it stands for.
    """
    return Chart(
        title=title,
        summary=summary,
        x_label=x.label,
        y_label=y.label,
        x_ticks=_ticks(x, LEFT, RIGHT),
        y_ticks=_ticks(y, BOTTOM, TOP),
        legend=[(line.label, line.value, line.style, line.dots) for line in lines],
        shapes=[_shape(line, x, y) for line in lines],
        bars=[bar for each in bars for bar in _bars(each, y)],
        guide=f"M{LEFT} {BOTTOM}L{RIGHT} {TOP}" if diagonal else "",
        marker=None if marker is None else round(float(x.place(np.array(marker), LEFT, RIGHT)), 1),
        marker_label=marker_label,
    )


def number(value: float) -> str:
    """A number in three digits or all before the point; a power of ten if very small or large."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if not 1e-2 <= abs(value) < 1e6:
        digits, _, power = f"{value:.2e}".partition("e")
        return f"{digits.rstrip('0').rstrip('.')}e{int(power)}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _ticks(axis: Axis, start: float, end: float) -> list[tuple[float, str]]:
    """Where ticks stand, and what stands beside them."""
    ticks = axis.ticks()
    places = axis.place(np.array([value for value, _ in ticks]), start, end).round(1).tolist()
    return [(at, label) for at, (_, label) in zip(places, ticks, strict=True)]


def _shape(line: Line, x: Axis, y: Axis) -> Shape:
    step = max(1, math.ceil(len(line.x) / MAX_POINTS))
    kept = np.unique(np.append(np.arange(0, len(line.x), step), max(0, len(line.x) - 1)))
    kept = kept[kept < len(line.x)]
    across = x.place(np.asarray(line.x)[kept], LEFT, RIGHT)
    up = y.place(np.asarray(line.y)[kept], BOTTOM, TOP)
    up = np.where(np.isfinite(up), np.clip(up, TOP - 2, BOTTOM + 2), np.nan)
    points = list(zip(across.round(1).tolist(), up.round(1).tolist(), strict=True))
    spreads: list[tuple[float, float, float]] = []
    if line.spread is not None:
        ends = [y.place(end[kept], BOTTOM, TOP).round(1).tolist() for end in line.spread]
        spreads = [
            (at[0], low, high)
            for at, low, high in zip(points, *ends, strict=True)
            if math.isfinite(low + high)
        ]
    if line.dots:
        return Shape(line.style, "", [p for p in points if not math.isnan(p[1])], spreads)
    pieces = _pieces(points)
    path = "".join(
        "M" + "L".join(f"{at:g} {height:g}" for at, height in piece)
        for piece in pieces
        if len(piece) > 1
    )
    return Shape(line.style, path, [piece[0] for piece in pieces if len(piece) == 1], spreads)


def _pieces(points: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """Runs of points between gaps."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if math.isnan(point[1]):
            pieces.append([])
        elif not pieces[-1] or pieces[-1][-1] != point:
            pieces[-1].append(point)
    return [piece for piece in pieces if piece]


def _bars(bars: Bars, y: Axis) -> list[tuple[float, float, float, float, int]]:
    width = (RIGHT - LEFT) / len(bars.heights)
    tops = y.place(bars.heights, BOTTOM, TOP).round(1).tolist()
    return [
        (
            round(LEFT + i * width + 1, 1),
            top,
            round(width - 2, 1),
            round(BOTTOM - top, 1),
            bars.style,
        )
        for i, top in enumerate(tops)
        if top < BOTTOM
    ]
