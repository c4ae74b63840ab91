"""What an explanation holds; nothing here computes, so text, JSON and picture tell the same."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass

import numpy as np

from apple_clf.arrays import FloatArray, UInt8Array


@dataclass(frozen=True)
class Unit:
    """A neuron or, in a picture, a channel at the place where it is strongest."""

    index: int  # from 0
    activation: float
    place: tuple[int, ...]  # row and column; empty for a neuron
    contribution: float | None  # activation x weight to the answer's logit, where that is all


@dataclass(frozen=True)
class LayerView:
    """One step of the forward pass."""

    number: int  # from 1
    name: str
    kind: str  # Keras's class
    shape: tuple[int, ...]
    n_units: int
    n_zero: int  # units that are 0 everywhere
    units: tuple[Unit, ...]  # the strongest first, up to a limit
    maps: FloatArray  # outputs of these units as pictures or single numbers, (n, ...)

    @property
    def is_picture(self) -> bool:
        """Whether its units are channels of a picture."""
        return len(self.shape) == 3


@dataclass(frozen=True)
class Term:
    """One input of a weighted sum."""

    source: str  # in words
    value: float
    weight: float
    product: float


@dataclass(frozen=True)
class WeightedSum:
    """One neuron in full: products + bias = total, and the activation function of it."""

    layer: str
    unit: int
    place: tuple[int, ...]  # row and column; empty for a neuron
    n_inputs: int
    terms: tuple[Term, ...]  # the largest products first, up to a limit
    bias: float
    total: float
    activation: str  # the function's name
    value: float  # of the function
    keras: float  # what Keras computed for the same

    def rest(self, shown: int) -> float:
        """The sum of all products but the first so many."""
        return self.total - self.bias - math.fsum(term.product for term in self.terms[:shown])


@dataclass(frozen=True)
class SoftmaxRow:
    """The softmax of one class: probability = power / sum of all powers."""

    class_name: str
    logit: float
    scaled: float  # logit / temperature
    power: float  # exp(scaled - the largest scaled)
    probability: float  # as `predict` gives it


@dataclass(frozen=True)
class Decision:
    """From logits to the answer, with the numbers that `predict` uses."""

    temperature: float
    softmax: tuple[SoftmaxRow, ...]  # one a class
    positive_class: str
    threshold: float | None  # the positive class is answered from it on; None: the most probable
    novelty: float
    novelty_threshold: float | None  # None: never unsure
    unsure: bool


@dataclass(frozen=True)
class BackwardStep:
    """Norms of the loss's gradient at one step."""

    layer: str
    by_output: float  # of the output layer: by its logits
    by_weights: float | None  # None without weights


@dataclass(frozen=True)
class Backward:
    """The loss of one labelled picture, and how its gradient flows back."""

    label: str
    loss: float  # -log of the probability
    probability: float  # of the label, before the temperature
    steps: tuple[BackwardStep, ...]  # from output to input
    by_pixels: float


@dataclass(frozen=True)
class Attribution:
    """How much each pixel moved the answer's logit away from that of a black picture."""

    class_name: str
    values: FloatArray  # float64, (height, width, channels)
    logit: float
    baseline_logit: float  # of the black picture
    n_steps: int

    @property
    def total(self) -> float:
        """The sum over all pixels."""
        return float(self.values.sum())

    @property
    def change(self) -> float:
        """Of the logit, from a black picture to this one."""
        return self.logit - self.baseline_logit

    @property
    def error(self) -> float:
        """How far the sum misses the change of the logit, as a share of that change."""
        gap = abs(self.total - self.change)
        return gap / abs(self.change) if self.change else gap


@dataclass(frozen=True)
class FirstWeights:
    """The weights of the first layer that has any, as pictures."""

    layer: str
    units: tuple[int, ...]  # the strongest for this picture first
    pictures: FloatArray  # (n, height, width): weights, summed over channels


@dataclass(frozen=True)
class Neighbour:
    """A training image."""

    name: str
    class_name: str
    distance: float
    pixels: UInt8Array  # (height, width, channels)


@dataclass(frozen=True)
class Nearest:
    """The training images nearest to the picture in what the output layer sees."""

    n_images: int
    median_distance: float  # of all training images
    neighbours: tuple[Neighbour, ...]  # the nearest first


@dataclass(frozen=True)
class Explanation:
    """One answer, from the pixels to the probabilities and back."""

    run: str
    answer: Mapping[str, object]  # as `predict` gives it
    pixels: UInt8Array  # as the network sees them, (height, width, channels)
    steps: tuple[str, ...]  # how the drawing was read from the picture, a phrase each, in order
    layers: tuple[LayerView, ...]
    neuron: WeightedSum
    output: WeightedSum  # of the answer's class
    decision: Decision
    label: str | None  # None: the true class is not known
    backward: Backward | None
    attribution: Attribution
    first_weights: FirstWeights | None
    nearest: Nearest | None
    notes: tuple[str, ...]  # what is missing, and why

    def as_dict(self) -> dict[str, object]:
        """All of it for JSON: arrays as lists, and null for what is not a finite number."""
        content = {item.name: _plain(getattr(self, item.name)) for item in fields(self)}
        sums = {"total": self.attribution.total, "error": self.attribution.error}
        content["attribution"] = _plain_fields(self.attribution) | {
            name: _plain(value) for name, value in sums.items()
        }
        return content


def _plain_fields(record: object) -> dict[str, object]:
    return {item.name: _plain(getattr(record, item.name)) for item in fields(record)}  # type: ignore[arg-type]  # only dataclasses come


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if is_dataclass(value):
        return _plain_fields(value)
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
