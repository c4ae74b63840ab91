"""An explanation in words that can be read aloud."""

from collections.abc import Iterator, Sequence

from apple_clf.explanation.network import TRAINING_ONLY
from apple_clf.explanation.record import (
    Attribution,
    Backward,
    Explanation,
    LayerView,
    Nearest,
    Unit,
    WeightedSum,
)
from apple_clf.explanation.units import REARRANGED
from apple_clf.io.files import printable
from apple_clf.prediction.inference import DONT_KNOW, unsure_in_words

SHOWN_UNITS, SHOWN_TERMS, SHOWN_NEIGHBOURS = 5, 8, 5

_DOES = {
    "Rescaling": "the same numbers on another scale",
    "Flatten": "the same numbers in one row",
    "Reshape": "the same numbers in another order of rows",
}
_FORMULAS = {
    "relu": "relu keeps what is above 0",
    "sigmoid": "sigmoid(z) = 1 / (1 + exp(-z))",
    "softmax": "softmax makes shares of all units' sums",
    "linear": "no activation function",
}


def tell(explanation: Explanation) -> Iterator[str]:
    """Lines of text, one chapter after the other."""
    chapters = (
        _picture(explanation),
        _forward(explanation.layers),
        _neuron(explanation.neuron),
        _answer(explanation),
        _softmax(explanation),
        _backward(explanation.backward),
        _attribution(explanation.attribution),
        _nearest(explanation.nearest),
    )
    answer = explanation.answer
    found = f"{_name(answer['class'])} {answer['probability']:.3f}"
    yield f"{_name(answer['file'])}: {unsure_in_words(answer) if answer['unsure'] else found}"
    for chapter in chapters:
        lines = list(chapter)
        if lines:
            yield ""
            yield from lines
    if explanation.notes:
        yield ""
        yield from explanation.notes


def _picture(explanation: Explanation) -> Iterator[str]:
    height, width, channels = explanation.pixels.shape
    n_black = int((explanation.pixels == 0).all(axis=2).sum())
    colours = "gray" if channels == 1 else "colour"
    yield "THE PICTURE"
    yield (
        f"  {height} x {width} pixels in {colours}, from 0, black, to 255, white; "
        f"{n_black} of {height * width} are black."
    )
    yield "  Places are (row, column), counted from 0 at the top left."
    if explanation.steps:
        yield f"  How the drawing was read: {'; '.join(map(_name, explanation.steps))}."


def _forward(layers: Sequence[LayerView]) -> Iterator[str]:
    yield "FORWARD, layer by layer"
    for view in layers:
        yield f"  {view.number}. {_name(view.name)} ({view.kind}): {size_in_words(view)}"
        if view.kind in TRAINING_ONLY:
            yield "     works in training alone; here it passes everything on"
        elif view.kind in REARRANGED:
            yield f"     {_DOES.get(view.kind, 'the same numbers')}"
        else:
            yield from _units(view)
    yield "     these are the probabilities before the temperature; see the softmax below"


def size_in_words(view: LayerView) -> str:
    """What a layer puts out: 32 numbers, or 8 pictures of 14 x 14."""
    if not view.is_picture:
        return f"{view.n_units} number{'s' * (view.n_units > 1)}"
    height, width, n = view.shape
    return f"{n} picture{'s' * (n > 1)} of {height} x {width}"


def _units(view: LayerView) -> Iterator[str]:
    shown = [unit for unit in view.units[:SHOWN_UNITS] if unit.activation]
    if shown:
        yield f"     strongest: {', '.join(map(_unit, shown))}"
    if view.n_zero:
        yield f"     {view.n_zero} of {view.n_units} units are 0"


def _unit(unit: Unit) -> str:
    adds = "" if unit.contribution is None else f" (adds {number(unit.contribution)})"
    return f"unit {unit.index} = {number(unit.activation)}{_at(unit.place)}{adds}"


def _at(place: tuple[int, ...]) -> str:
    return f" at ({', '.join(map(str, place))})" if place else ""


def _neuron(neuron: WeightedSum) -> Iterator[str]:
    yield f"ONE NEURON IN FULL: unit {neuron.unit} of {_name(neuron.layer)}{_at(neuron.place)}"
    yield from _products(neuron, total="sum")
    formula = _FORMULAS.get(neuron.activation, f"the activation function is {neuron.activation}")
    yield f"  {formula}: {number(neuron.value)}"
    yield f"  Keras computes {number(neuron.keras)}: {_gap(neuron.value, neuron.keras)}."


def _products(neuron: WeightedSum, *, total: str) -> Iterator[str]:
    """The largest products, what is left, the bias, and what they add up to by its name."""
    shown = neuron.terms[:SHOWN_TERMS]
    width = max([16, *(len(_name(term.source)) for term in shown)])
    yield f"  {'input':{width}} {'value':>10}   {'weight':>10}   {'product':>10}"
    for term in shown:
        yield (
            f"  {_name(term.source):{width}} {number(term.value):>10} x {number(term.weight):>10} "
            f"= {number(term.product):>10}"
        )
    if left := neuron.n_inputs - len(shown):
        others = f"{left} other input{'s' * (left > 1)}"
        yield f"  {others:{width + 26}} {number(neuron.rest(len(shown))):>10}"
    yield f"  {'bias':{width + 26}} {number(neuron.bias):>10}"
    yield f"  {total:{width + 26}} {number(neuron.total):>10}"


def _answer(explanation: Explanation) -> Iterator[str]:
    total = explanation.output
    row = explanation.decision.softmax[total.unit]
    unit = f"unit {total.unit} of {_name(total.layer)}"
    yield f"WHAT ADDS UP TO {_name(row.class_name)}: its logit, {unit}"
    yield from _products(total, total="logit")
    yield f"  predict computes {number(row.logit)}: {_gap(total.total, row.logit)}."


def _softmax(explanation: Explanation) -> Iterator[str]:
    decision = explanation.decision
    largest = max(row.scaled for row in decision.softmax)
    width = max(5, *(len(_name(row.class_name)) for row in decision.softmax))
    yield (
        f"THE SOFTMAX: each logit divided by the temperature {number(decision.temperature)}, "
        f"less the largest, {number(largest)}; exp of it; its share of the sum"
    )
    yield f"  {'class':{width}} {'logit':>10} {'divided':>10} {'exp':>10} {'probability':>12}"
    for row in decision.softmax:
        yield (
            f"  {_name(row.class_name):{width}} {number(row.logit):>10} "
            f"{number(row.scaled):>10} {number(row.power):>10} {row.probability:>12.6f}"
        )
    powers = sum(row.power for row in decision.softmax)
    yield f"  {'sum':{width + 22}} {number(powers):>10}"
    if decision.threshold is not None:
        chosen = "closest class" if decision.unsure else "answer"
        yield (
            f"  {_name(decision.positive_class)} is answered from {number(decision.threshold)} "
            f"on, so the {chosen} is {_name(explanation.answer['class'])}."
        )
    if decision.novelty_threshold is None:
        yield "  This model is never unsure."
    else:
        seen = (
            f'above it, so the answer is "{DONT_KNOW}"'
            if decision.unsure
            else "not above it, so it is not unsure"
        )
        yield (
            f"  Novelty {number(decision.novelty)}, limit {number(decision.novelty_threshold)}: "
            f"{seen}."
        )


def _backward(backward: Backward | None) -> Iterator[str]:
    if backward is None:
        return
    yield f"BACKWARD, had it been trained on this picture as {_name(backward.label)}"
    yield (
        f"  Before the temperature its probability is {number(backward.probability)}, "
        f"so the loss is {number(backward.loss)} = -log of it."
    )
    width = max(6, *(len(_name(step.layer)) for step in backward.steps))
    yield f"  {'layer':{width}}  gradient by its output  by its weights"
    for step in backward.steps:
        weights = "" if step.by_weights is None else number(step.by_weights)
        yield f"  {_name(step.layer):{width}}  {number(step.by_output):>22}  {weights:>14}".rstrip()
    yield f"  {'pixels':{width}}  {number(backward.by_pixels):>22}"


def _attribution(attribution: Attribution) -> Iterator[str]:
    rows = attribution.values.sum(axis=2)
    top = [divmod(int(i), rows.shape[1]) for i in (-rows).argsort(axis=None, kind="stable")[:3]]
    against = float(rows[rows < 0].sum())
    yield f"WHERE IT SAW IT: each pixel's part in the logit of {_name(attribution.class_name)}"
    yield (
        f"  A black picture has the logit {number(attribution.baseline_logit)}, this one "
        f"{number(attribution.logit)}. Integrated gradients share out the difference:"
    )
    yield (
        f"  {number(float(rows[rows > 0].sum()))} for it and {number(against)} against it make "
        f"{number(attribution.total)}; that misses by {attribution.error:.3%} "
        f"({attribution.n_steps} steps)."
    )
    yield f"  Most for it: {', '.join(f'({row}, {column})' for row, column in top)}."


def _nearest(nearest: Nearest | None) -> Iterator[str]:
    if nearest is None:
        return
    yield "THE NEAREST TRAINING IMAGES, by what the last layer sees"
    for near in nearest.neighbours[:SHOWN_NEIGHBOURS]:
        name = f"{_name(near.class_name)}  {printable(near.name)}"
        yield f"  {number(near.distance):>8}  {name}"
    yield (
        f"  Half of all {nearest.n_images:,} are farther away than "
        f"{number(nearest.median_distance)}."
    )


def number(value: float) -> str:
    """A number in four digits."""
    return f"{value:.4g}"


def _gap(ours: float, theirs: float) -> str:
    gap = abs(ours - theirs)
    return "the same" if gap == 0 else f"the same but for {gap:.1g}"


def _name(name: object) -> str:
    return printable(str(name))
