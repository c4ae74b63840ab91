"""One neuron in full: every input x weight, the bias, the activation function, the value."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from apple_clf.arrays import FloatArray
from apple_clf.errors import ConfigError
from apple_clf.explanation.record import LayerView, Term, WeightedSum
from apple_clf.explanation.units import origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apple_clf.explanation.keras_backend import Forward, Network, Step

MAX_TERMS = 1024
"""Inputs that an explanation lists one by one."""

SUMMING = ("Dense", "Conv2D")
"""Layers whose units are weighted sums."""


def choose_neuron(
    network: "Network", views: "Sequence[LayerView]", *, layer: str | None, unit: int | None
) -> tuple[int, int]:
    """Place of a step and index of its unit.

    Args:
        network: the steps.
        views: of all steps, as from `layer_views`.
        layer: number from 1, or name; the first dense layer if left out.
        unit: from 0; the strongest for this picture if left out.

    Raises:
        ConfigError: there is no such layer or unit, or it is not a weighted sum.
    """
    place = _find_layer(network, layer)
    view = views[place]
    if unit is None:
        return place, view.units[0].index
    if not 0 <= unit < view.n_units:
        raise ConfigError(f"--unit {unit}: {view.name} has the units 0 to {view.n_units - 1}.")
    return place, unit


def _find_layer(network: "Network", layer: str | None) -> int:
    summing = [i for i, step in enumerate(network.steps) if step.kind in SUMMING]
    if layer is None:
        return next(i for i in summing if network.steps[i].kind == "Dense")
    for i in summing:
        if layer in {str(i + 1), network.steps[i].name}:
            return i
    known = ", ".join(f"{i + 1} ({network.steps[i].name})" for i in summing)
    raise ConfigError(f"--layer {layer!r} is not a layer of weighted sums. There are: {known}.")


def weighted_sum(network: "Network", forward: "Forward", *, step: "Step", unit: int) -> WeightedSum:
    """A neuron computed in double precision from what Keras gave it; of a channel, one place.

    Args:
        network: the steps.
        forward: what they made of one picture.
        step: a dense or conv2d layer.
        unit: from 0. A channel is computed where it is strongest.
    """
    output = forward.outputs[network.steps.index(step)]
    strongest = int(np.abs(output[..., unit]).argmax())
    place = tuple(map(int, np.unravel_index(strongest, output.shape[:-1])))
    values, weights, indices = _entering(step, forward, place, unit)
    bias = step.layer.bias if step.layer.use_bias else np.zeros(step.shape[-1])
    biases = np.asarray(bias, np.float64)
    products = values * weights[:, unit]
    sums = values @ weights + biases  # of all units, as softmax needs them
    total = float(products.sum() + biases[unit])
    source = origin(network, step)
    order = np.argsort(-np.abs(products), kind="stable")[:MAX_TERMS]
    return WeightedSum(
        layer=step.name,
        unit=unit,
        place=place,
        n_inputs=len(products),
        terms=tuple(
            Term(
                source.in_words(int(indices[i])),
                float(values[i]),
                float(weights[i, unit]),
                float(products[i]),
            )
            for i in order
        ),
        bias=float(biases[unit]),
        total=total,
        activation=step.layer.activation.__name__,
        value=float(_activated(step, sums)[unit]),
        keras=float(output[(*place, unit)]),
    )


def _activated(step: "Step", sums: FloatArray) -> FloatArray:
    """The layer's own activation function of the sums of all its units, (n_units,)."""
    activated: FloatArray = np.asarray(step.layer.activation(sums[None].astype(np.float32)))[0]
    return activated


def _entering(
    step: "Step", forward: "Forward", place: tuple[int, ...], unit: int
) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
    """Inputs of a unit at a place, weights (n_inputs, n_units), and where each input stands."""
    entering = forward.entering(step)
    kernel = np.asarray(step.layer.kernel, np.float64)
    standing = np.arange(entering.size).reshape(entering.shape)
    if step.kind == "Dense":
        values, indices = entering[place], standing[place]
    else:
        values = _window(step, entering, place, unit, outside=0)
        indices = _window(step, standing, place, unit, outside=-1)
        kernel = kernel.reshape(-1, kernel.shape[-1])
    inside = indices >= 0  # the black border of a picture adds nothing
    return values[inside].astype(np.float64), kernel[inside], indices[inside]


def _window(
    step: "Step", picture: NDArray[np.generic], place: tuple[int, ...], unit: int, *, outside: int
) -> NDArray[np.generic]:
    """What a filter sees at a place of its output, (n_inputs,)."""
    layer = step.layer
    (height, width), (down, across) = layer.kernel_size, layer.dilation_rate
    spans = (height - 1) * down + 1, (width - 1) * across + 1
    before = (0, 0)
    if layer.padding == "same":  # as TensorFlow: the odd pixel comes behind
        needed = [
            max(0, (out - 1) * stride + span - side)
            for out, stride, span, side in zip(
                step.shape, layer.strides, spans, picture.shape, strict=False
            )
        ]
        before = needed[0] // 2, needed[1] // 2
        border = [(first, all_ - first) for first, all_ in zip(before, needed, strict=True)]
        picture = np.pad(picture, [*border, (0, 0)], constant_values=outside)
    top, left = (at * stride for at, stride in zip(place, layer.strides, strict=True))
    n_channels = int(layer.kernel.shape[2])
    first = unit // (int(layer.filters) // layer.groups) * n_channels
    return picture[
        top : top + spans[0] : down, left : left + spans[1] : across, first : first + n_channels
    ].reshape(-1)
