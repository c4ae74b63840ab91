"""An explanation on one page: picture, answer, layers, weights and neighbours at a glance."""

import textwrap
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.explanation.narration import number, size_in_words
from apple_clf.explanation.record import Explanation, LayerView, SoftmaxRow
from apple_clf.explanation.units import REARRANGED
from apple_clf.plots.drawing import (
    COLORS,
    FAINT,
    INK,
    WIDTH,
    house_style,
    new_figure,
    png,
    readable,
    tile,
)
from apple_clf.prediction.inference import DONT_KNOW, UNLIKE_TRAINING

LEFT, TILE, GAP = 20, 84, 12  # pixels
LARGE = 236  # side of the two large pictures
AGAINST, FOR, PLAIN = COLORS[0], COLORS[1], "#8C8C8C"
MAX_LAYERS, MAX_CLASSES, TILES, BARS = 7, 4, 8, 24
LINE = 120  # characters of a note
_BAR_HEIGHT = 40  # of the strongest unit


def draw_page(explanation: Explanation) -> bytes:
    """PNG of the explanation, 800 pixels wide, the same bytes for the same explanation."""
    sections = list(_sections(explanation))
    with house_style():
        page = _Page(height=sum(height for height, _ in sections))
        top = 0
        for height, draw in sections:
            draw(page, top)
            top += height
        return page.to_png()


class _Page:
    """A figure to write and draw on in pixels from the upper left corner."""

    def __init__(self, *, height: int) -> None:
        self.height = height
        self.figure = new_figure(height=height)
        self.canvas = np.full((height, WIDTH, 3), 255, np.uint8)

    def write(
        self,
        words: str,
        *,
        x: float,
        y: float,
        size: int = 9,
        color: str = INK,
        align: str = "left",
    ) -> None:
        """Writes on the line at y."""
        at = x / WIDTH, 1 - y / self.height
        self.figure.text(*at, words, fontsize=size, color=color, ha=align)

    def bar(self, *, x: float, y: float, width: float, height: float, color: str) -> None:
        """Fills a rectangle; a negative height goes up."""
        from matplotlib.patches import Rectangle

        corner = x / WIDTH, 1 - y / self.height
        size = width / WIDTH, -height / self.height
        self.figure.add_artist(Rectangle(corner, *size, color=color, linewidth=0))

    def picture(self, pixels: UInt8Array, *, x: int, y: int, side: int) -> None:
        """Pastes a picture in a thin frame, scaled to fit a square."""
        shown = tile(pixels, side)
        height, width = shown.shape[:2]
        self.canvas[y - 1 : y + height + 1, x - 1 : x + width + 1] = 208
        self.canvas[y : y + height, x : x + width] = shown

    def to_png(self) -> bytes:
        self.figure.figimage(self.canvas, zorder=-1)
        return png(self.figure)


Section = tuple[int, Callable[[_Page, int], None]]
"""Its height, and what draws it below a line."""


def _sections(explanation: Explanation) -> Iterator[Section]:
    yield 62, lambda page, top: _head(page, top, explanation)
    yield LARGE + 50, lambda page, top: _answer(page, top, explanation)
    for words in steps_in_lines(explanation.steps):
        yield _note(words)
    shown = [view for view in explanation.layers[:-1] if view.kind not in REARRANGED]
    half = MAX_LAYERS // 2
    left_out = len(shown) - MAX_LAYERS
    if left_out > 0:
        shown = shown[: MAX_LAYERS - half] + shown[-half:]
    note = f"; {left_out} more in between" if left_out > 0 else ""
    answer = readable(str(explanation.answer["class"]), 30)
    if shown:
        yield _heading(
            f"What its layers make of it, unit by unit, the strongest first{note}",
            f"Where a layer leads straight to the answer: orange adds to {answer}, blue takes away",
        )
    for view in shown:
        yield _layer(view)
    if (first := explanation.first_weights) is not None:
        yield _heading(
            f"What the strongest units of {readable(first.layer, 40)} look for",
            "Their weights: light on an orange place drives a unit up, on a blue one down",
        )
        pictures = [_diverging(weights) for weights in first.pictures]
        yield _tiles(pictures, [f"unit {unit}" for unit in first.units])
    if (nearest := explanation.nearest) is not None:
        yield _heading(
            "The training images that look most alike to its last layer",
            "With their distances; half of all training images are farther away than "
            f"{number(nearest.median_distance)}",
        )
        yield _tiles(
            [near.pixels for near in nearest.neighbours],
            [f"{readable(n.class_name, 9)} {n.distance:.2g}" for n in nearest.neighbours],
        )
    for words in explanation.notes:
        yield _note(readable(words, LINE))
    yield 10, lambda page, top: None


def _head(page: _Page, top: int, explanation: Explanation) -> None:
    answer = explanation.answer
    found = f"{readable(str(answer['class']), 30)}, {answer['probability']:.2%}"
    unsure = explanation.decision.unsure
    page.write(DONT_KNOW if unsure else found, x=LEFT, y=top + 32, size=18)
    told = readable(str(answer["file"]), 40 if unsure else 90)
    if explanation.label is not None:
        told += f"; labelled {readable(explanation.label, 20)}"
    if unsure:
        told = f"{UNLIKE_TRAINING}; closest class: {found}; {told}"
    page.write(told, x=LEFT, y=top + 52, color=FAINT)


def _answer(page: _Page, top: int, explanation: Explanation) -> None:
    """The picture, the attribution over it, and the probabilities."""
    attribution = explanation.attribution
    columns = LEFT, LEFT + LARGE + 24, LEFT + 2 * (LARGE + 24)
    name = readable(attribution.class_name, 16)
    answers = "The closest classes" if explanation.decision.unsure else "What it answers"
    titles = ("What the network sees", f"What spoke for {name}", answers)
    for x, title in zip(columns, titles, strict=True):
        page.write(title, x=x, y=top + 18, size=11)
    page.picture(explanation.pixels, x=columns[0], y=top + 28, side=LARGE)
    over = _over(attribution.values.sum(axis=2), explanation.pixels)
    page.picture(over, x=columns[1], y=top + 28, side=LARGE)
    page.write(
        "orange for it, blue against it; black has no part",
        x=columns[1],
        y=top + LARGE + 42,
        color=FAINT,
        size=8,
    )
    decision = explanation.decision
    chosen = None if decision.unsure else explanation.answer["class"]
    rows = sorted(decision.softmax, key=lambda row: -row.probability)
    for i, row in enumerate(rows[:MAX_CLASSES]):
        _probability(page, columns[2], top + 44 + 34 * i, row, chosen=chosen)
    facts = _facts(explanation)
    for i, words in enumerate(reversed(facts)):
        page.write(words, x=columns[2], y=top + LARGE + 27 - 16 * i, color=FAINT, size=8)


def steps_in_lines(steps: Sequence[str]) -> list[str]:
    """How the drawing was read, in lines that fit the page; none without steps."""
    if not steps:
        return []
    words = f"How the drawing was read: {' · '.join(steps)}"
    return [readable(line, LINE) for line in textwrap.wrap(words, LINE)]


def _facts(explanation: Explanation) -> list[str]:
    """The numbers behind the answer, at most five lines."""
    decision, attribution = explanation.decision, explanation.attribution
    facts = [
        f"logit {number(attribution.logit)}; of a black picture "
        f"{number(attribution.baseline_logit)}",
        f"the pixels add up to that within {attribution.error:.2%}",
        f"temperature {number(decision.temperature)}",
    ]
    if decision.threshold is not None:
        positive = readable(decision.positive_class, 16)
        facts[2] += f"; {positive} from {number(decision.threshold)} on"
    if decision.novelty_threshold is not None:
        facts.append(
            f"novelty {number(decision.novelty)}; unsure above {number(decision.novelty_threshold)}"
        )
    if (backward := explanation.backward) is not None:
        facts.append(f"loss {number(backward.loss)} if it is {readable(backward.label, 16)}")
    return facts


def _probability(page: _Page, x: int, y: int, row: SoftmaxRow, *, chosen: object) -> None:
    width = WIDTH - LEFT - x
    color = FOR if row.class_name == chosen else PLAIN
    ink = FAINT if chosen is None else INK
    page.write(readable(row.class_name, 22), x=x, y=y, color=ink)
    page.write(f"{row.probability:.2%}", x=x + width, y=y, color=ink, align="right")
    page.bar(x=x, y=y + 5, width=width, height=9, color="#EEEEEE")
    page.bar(x=x, y=y + 5, width=width * row.probability, height=9, color=color)


def _heading(title: str, note: str) -> Section:
    def draw(page: _Page, top: int) -> None:
        page.write(title, x=LEFT, y=top + 22, size=11)
        page.write(note, x=LEFT, y=top + 37, color=FAINT, size=8)

    return 46, draw


def _note(words: str) -> Section:
    return 20, lambda page, top: page.write(words, x=LEFT, y=top + 14, color=FAINT, size=8)


def _layer(view: LayerView) -> Section:
    """A layer's name, and its strongest units as pictures or bars."""
    names = LEFT + 160

    def draw(page: _Page, top: int) -> None:
        page.write(f"{view.number}. {readable(view.name, 18)}", x=LEFT, y=top + 28)
        page.write(size_in_words(view), x=LEFT, y=top + 42, color=FAINT, size=8)
        if view.n_zero:
            zero = f"{view.n_zero} of {view.n_units} units are 0"
            page.write(zero, x=LEFT, y=top + 56, color=FAINT, size=8)
        if view.is_picture:
            _draw_maps(page, view, x=names, y=top + 4)
        else:
            _draw_bars(page, view, x=names, y=top + 8 + _BAR_HEIGHT)

    return 84, draw


def _draw_maps(page: _Page, view: LayerView, *, x: int, y: int) -> None:
    """The strongest channels on one scale of gray, 0 in black if nothing is below it."""
    side = 60
    low, high = min(0.0, float(view.maps.min())), float(view.maps.max())
    for i, (unit, values) in enumerate(zip(view.units[:TILES], view.maps, strict=False)):
        gray = ((values - low) * (255 / (high - low or 1))).astype(np.uint8)
        page.picture(gray[..., None], x=x + i * (side + GAP), y=y, side=side)
        page.write(f"{unit.index}", x=x + i * (side + GAP), y=y + side + 12, color=FAINT, size=7)


def _draw_bars(page: _Page, view: LayerView, *, x: int, y: int) -> None:
    """The strongest units as bars on a line at y; what is below 0 hangs."""
    units = [unit for unit in view.units[:BARS] if unit.activation]
    if not units:
        return
    strongest = abs(units[0].activation)
    hangs = any(unit.activation < 0 for unit in units)
    scale = _BAR_HEIGHT // 2 if hangs else _BAR_HEIGHT
    y -= _BAR_HEIGHT - scale
    step = 25
    for i, unit in enumerate(units):
        left = x + i * step
        height = unit.activation / strongest * scale
        contribution = unit.contribution
        color = PLAIN if contribution is None else FOR if contribution > 0 else AGAINST
        page.bar(x=left, y=y, width=step - 7, height=-height, color=color)
        middle = left + (step - 7) / 2
        page.write(
            f"{unit.index}",
            x=middle,
            y=y + (scale if hangs else 0) + 11,
            size=7,
            color=FAINT,
            align="center",
        )
    page.write(number(units[0].activation), x=x, y=y - scale - 3, size=7, color=FAINT)
    page.bar(x=x, y=y, width=len(units) * step - 7, height=1, color=FAINT)


def _tiles(pictures: Sequence[UInt8Array], captions: Sequence[str]) -> Section:
    """Pictures in a row, each over its caption."""

    def draw(page: _Page, top: int) -> None:
        for i, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
            x = LEFT + i * (TILE + GAP)
            page.picture(picture, x=x, y=top + 2, side=TILE)
            page.write(caption, x=x, y=top + TILE + 15, size=8)

    return TILE + 24, draw


def _diverging(values: FloatArray) -> UInt8Array:
    """White at 0, orange above and blue below, (height, width) -> (height, width, 3)."""
    return _tinted(values, np.full((*values.shape, 3), 255.0))


def _over(values: FloatArray, pixels: UInt8Array) -> UInt8Array:
    """The values in colour over the picture as a pale shadow, (height, width, 3)."""
    shadow = 255 - pixels.mean(axis=2, keepdims=True) / 4
    return _tinted(values, np.repeat(shadow, 3, axis=2))


def _tinted(values: FloatArray, ground: FloatArray) -> UInt8Array:
    """The ground mixed with a colour by the sign of each value, as strongly as its size says."""
    strength = np.abs(values)
    # The few largest would leave the others pale.
    largest = np.quantile(strength[strength > 0], 0.98) if strength.any() else 1.0
    share = np.minimum(strength / largest, 1)[..., None]
    color = np.where((values > 0)[..., None], _rgb(FOR), _rgb(AGAINST))
    return (ground + share * (color - ground)).astype(np.uint8)


def _rgb(color: str) -> FloatArray:
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], np.float64)
