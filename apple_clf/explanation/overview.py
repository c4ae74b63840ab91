"""A picture inside a network at a glance: layers, connections and attribution, without Keras."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.explanation.attribution import attribute
from apple_clf.explanation.network import PIXELS
from apple_clf.explanation.numpy_backend.layers import Dense
from apple_clf.explanation.numpy_backend.network import Network
from apple_clf.explanation.record import Attribution
from apple_clf.explanation.units import REARRANGED, strongest

N_CONNECTIONS = 24
"""Strongest connections into each dense layer."""

MAX_STEPS = 64
BUDGET = 300_000_000
"""Multiplications that an attribution may take: some 10 ms."""


@dataclass(frozen=True)
class LayerOutput:
    """What one layer made of the picture."""

    name: str
    kind: str  # Keras's class
    output: FloatArray  # (n_units,) or (height, width, n_units)
    n_zero: int  # units that are 0 everywhere
    largest: float  # absolute activation


@dataclass(frozen=True)
class Connections:
    """The largest products of input and weight that go into a dense layer."""

    layer: int  # place among the layers shown
    source: int  # likewise, or PIXELS
    links: tuple[tuple[int, int, float], ...]  # input, unit, product; the largest first


@dataclass(frozen=True)
class Overview:
    """The inside of a network for one picture."""

    layers: tuple[LayerOutput, ...]  # without those that only pass on, reshape or rescale
    connections: tuple[Connections, ...]
    attribution: Attribution | None  # None: it would take too long


def look_inside(network: Network, pixels: UInt8Array, *, code: int, class_name: str) -> Overview:
    """What a network makes of one picture, and each pixel's part in one class's logit.

    Args:
        network: in NumPy.
        pixels: uint8, (height, width, channels).
        code: of the class.
        class_name: its name.
    """
    outputs = [output[0] for output in network.forward(pixels[None])]
    shown = [i for i, step in enumerate(network.steps) if step.kind not in REARRANGED]
    found = (_connections(network, i, pixels, outputs, shown) for i in shown)
    return Overview(
        layers=tuple(_layer(network, i, outputs[i]) for i in shown),
        connections=tuple(connections for connections in found if connections is not None),
        attribution=_attribution(network, pixels, code=code, class_name=class_name),
    )


def _layer(network: Network, place: int, output: FloatArray) -> LayerOutput:
    step = network.steps[place]
    activations, _ = strongest(output)
    return LayerOutput(
        name=step.name,
        kind=step.kind,
        output=output,
        n_zero=int((activations == 0).sum()),
        largest=float(np.abs(activations).max()),
    )


def _connections(
    network: Network,
    place: int,
    pixels: UInt8Array,
    outputs: Sequence[FloatArray],
    shown: Sequence[int],
) -> Connections | None:
    step = network.steps[place]
    if not isinstance(step.layer, Dense) or len(step.sources) != 1:
        return None
    (source,) = step.sources
    entering = outputs[source] if source != PIXELS else pixels / 255
    products = entering.reshape(-1)[:, None] * step.layer.kernel  # (n_inputs, n_units)
    n = min(N_CONNECTIONS, products.size)
    largest = np.argpartition(-np.abs(products), n - 1, axis=None)[:n]
    largest = largest[products.flat[largest] != 0]
    while source != PIXELS and network.steps[source].kind in REARRANGED:
        (source,) = network.steps[source].sources
    n_units = products.shape[1]
    return Connections(
        layer=shown.index(place),
        source=PIXELS if source == PIXELS else shown.index(source),
        links=tuple(
            (int(i) // n_units, int(i) % n_units, float(products.flat[i]))
            for i in sorted(largest, key=lambda i: -abs(products.flat[i]))
        ),
    )


def _attribution(
    network: Network, pixels: UInt8Array, *, code: int, class_name: str
) -> Attribution | None:
    """Integrated gradients with as many steps of equal length as there is time for."""
    steps = min(MAX_STEPS, BUDGET // (3 * network.multiplications or 1))
    if steps < 1:
        return None
    return attribute(
        network, pixels, code=code, class_name=class_name, first_steps=steps, max_steps=steps
    )
