"""The weights of the first layer as pictures: of a network now, or through its training."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from apple_clf.arrays import FloatArray
from apple_clf.explanation.record import FirstWeights, LayerView
from apple_clf.explanation.units import origin
from apple_clf.plots.weights import unit_pictures
from apple_clf.runs.layer_statistics import WeightSnapshots

if TYPE_CHECKING:
    from apple_clf.explanation.keras_backend import Network

N_UNITS = 8
"""Units that an explanation shows."""


@dataclass(frozen=True)
class WeightHistory:
    """The first layer's weights at some epochs, summed over channels."""

    layer: str
    epochs: tuple[int, ...]
    pictures: FloatArray  # float32, (n_epochs, n_units, height, width)


def first_weights(network: "Network", views: Sequence[LayerView]) -> FirstWeights | None:
    """The weights of the first dense or convolutional layer, or None if they make no pictures.

    Args:
        network: the steps.
        views: of all steps, as from `layer_views`.
    """
    pairs = zip(network.steps, views, strict=True)
    step, view = next(pair for pair in pairs if pair[0].kind in {"Dense", "Conv2D"})
    source = origin(network, step)
    if step.kind == "Dense" and source.step is not None:
        return None
    pictures = unit_pictures(np.asarray(step.layer.kernel), network.input_shape)
    if pictures is None:
        return None
    units = tuple(unit.index for unit in view.units[:N_UNITS])
    return FirstWeights(step.name, units, pictures.sum(axis=3)[list(units)])


def makes_pictures(snapshots: WeightSnapshots, shape: tuple[int, int, int]) -> bool:
    """Whether the weights are those of pixels.

    Args:
        snapshots: of a run.
        shape: height, width and channels of its pictures.
    """
    return unit_pictures(snapshots.weights[0], shape) is not None


def weight_history(snapshots: WeightSnapshots, shape: tuple[int, int, int]) -> WeightHistory | None:
    """The weights at each epoch, or None if they make no pictures.

    Args:
        snapshots: of a run.
        shape: height, width and channels of its pictures.
    """
    units = [unit_pictures(weights.astype(np.float32), shape) for weights in snapshots.weights]
    pictures = [picture.sum(axis=3) for picture in units if picture is not None]
    if not pictures:
        return None
    return WeightHistory(snapshots.layer, snapshots.epochs, np.stack(pictures))
