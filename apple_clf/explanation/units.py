"""The units of each layer: which answer a picture most strongly, and what they add to its logit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from apple_clf.arrays import FloatArray
from apple_clf.explanation.record import FirstWeights, LayerView, Unit

if TYPE_CHECKING:
    from apple_clf.explanation.keras_backend import Forward, Network, Step

MAX_UNITS = 1024
"""Units of one layer that an explanation holds; only flattened pictures have more."""

FIRST_WEIGHTS = 8

UNCHANGED = frozenset(
    {
        *("Dropout", "SpatialDropout2D", "RandomFlip", "RandomRotation", "RandomZoom"),
        *("RandomTranslation", "RandomContrast", "RandomBrightness", "RandomInvert"),
    }
)
"""Layers that work in training alone, and pass on what they get otherwise."""

REARRANGED = UNCHANGED | {"Flatten", "Reshape", "Rescaling", "InputLayer"}
"""Layers whose outputs are their inputs under other names, or on another scale."""


@dataclass(frozen=True)
class Origin:
    """What the numbers that a step gets are: the outputs of a step before, or pixels."""

    step: "Step | None"  # None for pixels
    shape: tuple[int, ...]  # before flattening

    def in_words(self, index: int) -> str:
        """One of the numbers in words.

        Args:
            index: among all of them, in their order.
        """
        *place, unit = map(int, np.unravel_index(index, self.shape))
        where = f"({', '.join(map(str, place))})"
        if self.step is None:
            return f"pixel {where}" + (f" channel {unit}" if self.shape[-1] > 1 else "")
        of_layer = f"{self.step.name} unit {unit}"
        return f"{of_layer} at {where}" if place else of_layer


def origin(network: "Network", step: "Step") -> Origin:
    """Where the inputs of a step with one input come from, seen through what changes nothing."""
    shape: tuple[int, ...] | None = None
    before = step
    while True:
        (source,) = before.sources
        if source < 0:
            return Origin(None, shape or network.input_shape)
        before = network.steps[source]
        shape = shape if shape is not None and len(shape) > len(before.shape) else before.shape
        if before.kind not in REARRANGED:
            return Origin(before, shape)


def layer_views(
    network: "Network", forward: "Forward", *, contributions: FloatArray
) -> tuple[LayerView, ...]:
    """Every step with its strongest units.

    Args:
        network: the steps.
        forward: what they made of one picture.
        contributions: activation x weight of each input of the output layer, (n_features,).
    """
    contributing = set(_unchanged_before(network))
    return tuple(
        _view(i, step, output, contributions if i in contributing else None)
        for i, (step, output) in enumerate(zip(network.steps, forward.outputs, strict=True))
    )


def _unchanged_before(network: "Network") -> list[int]:
    """Places of the steps whose outputs are what the output layer gets."""
    (source,) = network.output.sources
    found = [source]
    while network.steps[found[-1]].kind in UNCHANGED:
        (source,) = network.steps[found[-1]].sources
        if source < 0:
            break
        found.append(source)
    return found


def _view(
    place: int, step: "Step", output: FloatArray, contributions: FloatArray | None
) -> LayerView:
    by_unit = output.reshape(-1, output.shape[-1])  # (n_places, n_units)
    strongest_at = np.abs(by_unit).argmax(axis=0)
    n_units = by_unit.shape[1]
    activations = by_unit[strongest_at, np.arange(n_units)]
    order = np.argsort(-np.abs(activations), kind="stable")[:MAX_UNITS]
    units = tuple(
        Unit(
            index=int(k),
            activation=float(activations[k]),
            place=tuple(map(int, np.unravel_index(strongest_at[k], output.shape[:-1])))
            if output.ndim > 1
            else (),
            contribution=None if contributions is None else float(contributions[k]),
        )
        for k in order
    )
    return LayerView(
        number=place + 1,
        name=step.name,
        kind=step.kind,
        shape=step.shape,
        n_units=n_units,
        n_zero=int((activations == 0).sum()),
        units=units,
        maps=np.moveaxis(output[..., order], -1, 0),
    )


def first_weights(network: "Network", views: Sequence[LayerView]) -> FirstWeights | None:
    """The weights of the first dense or convolutional layer, if they make pictures.

    Args:
        network: the steps.
        views: of all steps, as from `layer_views`.
    """
    pairs = zip(network.steps, views, strict=True)
    step, view = next(pair for pair in pairs if pair[0].kind in {"Dense", "Conv2D"})
    kernel = np.asarray(step.layer.kernel)
    if step.kind == "Dense":
        source = origin(network, step)
        if source.step is not None or kernel.shape[0] != np.prod(source.shape):
            return None
        kernel = kernel.reshape(*source.shape, -1)
    units = tuple(unit.index for unit in view.units[:FIRST_WEIGHTS])
    pictures = np.moveaxis(kernel.sum(axis=2)[..., list(units)], -1, 0)
    return FirstWeights(step.name, units, pictures)
