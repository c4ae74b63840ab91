"""An explanation on one page: picture, answer, layers, weights and neighbours at a glance."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from apple_clf.explanation.narration import number, size_in_words
from apple_clf.explanation.units import REARRANGED
from apple_clf.plots.canvas import BAR_HEIGHT, PLAIN, Canvas, draw_sections
from apple_clf.plots.drawing import FAINT, INK, WIDTH, readable
from apple_clf.plots.pixels import FOR, diverging, overlay
from apple_clf.prediction.inference import DONT_KNOW, UNLIKE_TRAINING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from apple_clf.arrays import UInt8Array
    from apple_clf.explanation.record import Explanation, LayerView, SoftmaxRow
    from apple_clf.plots.canvas import Section

LEFT, TILE, MAP = 20, 84, 60  # pixels
LARGE = 236  # side of the two large pictures
MAX_LAYERS, MAX_CLASSES, TILES, BARS = 7, 4, 8, 24
LINE = 120  # characters of a note


def draw_page(explanation: Explanation) -> bytes:
    """PNG of the explanation, 800 pixels wide, the same bytes for the same explanation."""
    return draw_sections(_sections(explanation))


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
        pictures = [diverging(weights) for weights in first.pictures]
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


def _head(page: Canvas, top: int, explanation: Explanation) -> None:
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


def _answer(page: Canvas, top: int, explanation: Explanation) -> None:
    """The picture, the attribution over it, and the probabilities."""
    attribution = explanation.attribution
    columns = LEFT, LEFT + LARGE + 24, LEFT + 2 * (LARGE + 24)
    name = readable(attribution.class_name, 16)
    answers = "The closest classes" if explanation.decision.unsure else "What it answers"
    titles = ("What the network sees", f"What spoke for {name}", answers)
    for x, title in zip(columns, titles, strict=True):
        page.write(title, x=x, y=top + 18, size=11)
    page.picture(explanation.pixels, x=columns[0], y=top + 28, side=LARGE)
    over = overlay(attribution.values.sum(axis=2), explanation.pixels)
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


def _probability(page: Canvas, x: int, y: int, row: SoftmaxRow, *, chosen: object) -> None:
    width = WIDTH - LEFT - x
    color = FOR if row.class_name == chosen else PLAIN
    ink = FAINT if chosen is None else INK
    page.write(readable(row.class_name, 22), x=x, y=y, color=ink)
    page.write(f"{row.probability:.2%}", x=x + width, y=y, color=ink, align="right")
    page.share(row.probability, x=x, y=y + 5, width=width, color=color)


def _heading(title: str, note: str) -> Section:
    def draw(page: Canvas, top: int) -> None:
        page.write(title, x=LEFT, y=top + 22, size=11)
        page.write(note, x=LEFT, y=top + 37, color=FAINT, size=8)

    return 46, draw


def _note(words: str) -> Section:
    return 20, lambda page, top: page.write(words, x=LEFT, y=top + 14, color=FAINT, size=8)


def _layer(view: LayerView) -> Section:
    """A layer's name, and its strongest units as pictures or bars."""
    names = LEFT + 160

    def draw(page: Canvas, top: int) -> None:
        page.write(f"{view.number}. {readable(view.name, 18)}", x=LEFT, y=top + 28)
        page.write(size_in_words(view), x=LEFT, y=top + 42, color=FAINT, size=8)
        if view.n_zero:
            zero = f"{view.n_zero} of {view.n_units} units are 0"
            page.write(zero, x=LEFT, y=top + 56, color=FAINT, size=8)
        if view.is_picture:
            page.maps(
                view.maps, [unit.index for unit in view.units[:TILES]], x=names, y=top + 4, side=MAP
            )
        else:
            _draw_bars(page, view, x=names, y=top + 8 + BAR_HEIGHT)

    return 84, draw


def _draw_bars(page: Canvas, view: LayerView, *, x: int, y: int) -> None:
    units = [unit for unit in view.units[:BARS] if unit.activation]
    page.bars(
        [unit.activation for unit in units],
        [unit.index for unit in units],
        [unit.contribution for unit in units],
        largest=number(units[0].activation) if units else "",
        x=x,
        y=y,
    )


def _tiles(pictures: Sequence[UInt8Array], captions: Sequence[str]) -> Section:
    """Pictures in a row, each over its caption."""
    return TILE + 24, lambda page, top: page.tiles(pictures, captions, x=LEFT, y=top + 2, side=TILE)
