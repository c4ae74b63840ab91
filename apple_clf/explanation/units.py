"""The units of each layer: which answer a picture most strongly, and what they add to its logit."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from apple_clf.arrays import FloatArray
from apple_clf.explanation.network import TRAINING_ONLY
from apple_clf.explanation.record import LayerView, Unit

if TYPE_CHECKING:
    from apple_clf.explanation.keras_backend import Forward, Network, Step

MAX_UNITS = 1024
"""Units of one layer that an explanation holds; only flattened pictures have more."""

REARRANGED = TRAINING_ONLY | {"Flatten", "Reshape", "Rescaling", "InputLayer"}
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
    while network.steps[found[-1]].kind in TRAINING_ONLY:
        (source,) = network.steps[found[-1]].sources
        if source < 0:
            break
        found.append(source)
    return found


def strongest(output: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """Each unit's activation where it is strongest, and that place among all, (n_units,) each.

    Args:
        output: of a layer for one picture, (n_units,) or (height, width, n_units).
    """
    by_unit = output.reshape(-1, output.shape[-1])  # (n_places, n_units)
    places = np.abs(by_unit).argmax(axis=0)
    return by_unit[places, np.arange(by_unit.shape[1])], places


def _view(
    place: int, step: "Step", output: FloatArray, contributions: FloatArray | None
) -> LayerView:
    activations, strongest_at = strongest(output)
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
        n_units=len(activations),
        n_zero=int((activations == 0).sum()),
        units=units,
        maps=np.moveaxis(output[..., order], -1, 0),
    )
