"""One picture and a model -> all that the page shows of it, as JSON."""

import base64
from typing import Any

import numpy as np

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.explanation.numpy_backend.layers import Dense
from apple_clf.explanation.numpy_backend.network import PIXELS, Network
from apple_clf.images import loading
from apple_clf.web.models import Model

COMPUTING = frozenset(
    {
        *("Activation", "Add", "BatchNormalization", "Conv2D", "Dense", "LayerNormalization"),
        *("AveragePooling2D", "GlobalAveragePooling2D", "MaxPooling2D"),
    }
)
"""Layers to show; the others pass on what they get, or give it another shape or scale."""

MAX_UNITS = 512
MAX_MAPS = 32
"""Units and channels of a layer that are sent; the rest is counted."""

N_CONNECTIONS = 24
"""Strongest connections into each dense layer."""

MAX_STEPS = 64
BUDGET = 300_000_000
"""Multiplications that an attribution may take: some 10 ms."""


def look_inside(model: Model, body: bytes) -> dict[str, Any]:
    """Answer, pixels, layers, connections and attribution of one picture.

    Arrays of many numbers are base64 of bytes: pixels as they are, activations of pictures and
    attributions as 128 + value / `largest` * 127.

    Args:
        model: used by no other thread meanwhile.
        body: the picture's file.

    Raises:
        ImageError: it is no usable picture.
        ArtifactError: the weights are so large that answers overflow.
    """
    return look_into(model, loading.load(body, model.record.preprocessing))


def look_into(model: Model, loaded: loading.Loaded) -> dict[str, Any]:
    """As `look_inside`, for a picture that was read already.

    Raises:
        ArtifactError: the weights are so large that answers overflow.
    """
    pixels = loaded.pixels
    (answer,) = model.predictor.answer_prepared([""], [pixels])
    outputs = model.predictor.outputs(pixels[None])
    code = model.record.class_names.index(str(answer.class_name))
    found: dict[str, Any] = {
        "model": model.number,
        "answer": {**answer.as_dict(), "file": None},
        "logits": outputs.logits[0].tolist(),
        "novelty": float(outputs.novelty[0]),
        "novelty_threshold": model.record.novelty_threshold,
        "pixels": _picture(pixels),
        "frame": list(loaded.frame),
        "steps": list(loaded.steps),
        "layers": None,
        "connections": [],
        "attribution": None,
        "notes": [f"{loaded.note}."] if loaded.note else [],
    }
    if model.network is None:
        found["notes"].append(f"No layers: {model.reason}.")
        return found
    activations = [output[0] for output in model.network.forward(pixels[None])]
    shown = [i for i, step in enumerate(model.network.steps) if step.kind in COMPUTING]
    found["layers"] = [_layer(model.network, i, activations[i]) for i in shown]
    found["connections"] = [
        connections
        for place, i in enumerate(shown)
        if (connections := _connections(model.network, i, pixels, activations, shown, place))
    ]
    found["attribution"], note = _attribution(model, pixels, activations[-1], code=code)
    found["notes"] += note
    return found


def _picture(pixels: UInt8Array) -> dict[str, Any]:
    height, width, channels = pixels.shape
    return {"height": height, "width": width, "channels": channels, "data": encoded(pixels)}


def signed_bytes(values: FloatArray, largest: float) -> UInt8Array:
    """128 + value / largest * 127, uint8, of the same shape.

    Args:
        values: from -largest to largest.
        largest: 0 if all of them are.
    """
    return (128 + values / (largest or 1) * 127).round().astype(np.uint8)


def encoded(array: UInt8Array) -> str:
    """The bytes of an array, as base64."""
    return base64.b64encode(array.tobytes()).decode()


def _layer(network: Network, place: int, output: FloatArray) -> dict[str, Any]:
    step, by_unit = network.steps[place], output.reshape(-1, output.shape[-1])
    strongest = np.abs(by_unit).max(axis=0)
    largest = float(strongest.max())
    layer: dict[str, Any] = {
        "name": step.name,
        "kind": step.kind,
        "shape": list(output.shape),
        "n_units": by_unit.shape[1],
        "n_zero": int((strongest == 0).sum()),
        "largest": largest,
        "values": None,
        "maps": None,
    }
    if output.ndim == 1:
        layer["values"] = [float(f"{value:.5g}") for value in output[:MAX_UNITS]]
    else:
        maps = np.moveaxis(output[..., :MAX_MAPS], -1, 0)
        n, height, width = maps.shape
        layer["maps"] = {
            "count": n,
            "height": height,
            "width": width,
            "data": encoded(signed_bytes(maps, largest)),
        }
    return layer


def _connections(
    network: Network,
    place: int,
    pixels: UInt8Array,
    activations: list[FloatArray],
    shown: list[int],
    target: int,
) -> dict[str, Any] | None:
    """The largest products of input and weight that go into a dense layer."""
    step = network.steps[place]
    if not isinstance(step.layer, Dense) or len(step.sources) != 1:
        return None
    (source,) = step.sources
    entering = activations[source] if source != PIXELS else pixels / 255
    products = entering.reshape(-1)[:, None] * step.layer.kernel  # (n_inputs, n_units)
    n = min(N_CONNECTIONS, products.size)
    strongest = np.argpartition(-np.abs(products), n - 1, axis=None)[:n]
    strongest = strongest[products.flat[strongest] != 0]
    origin = source
    while origin != PIXELS and network.steps[origin].kind not in COMPUTING:
        (origin,) = network.steps[origin].sources
    n_units = products.shape[1]
    return {
        "layer": target,
        "source": PIXELS if origin == PIXELS else shown.index(origin),
        "links": [
            [int(i) // n_units, int(i) % n_units, float(f"{products.flat[i]:.4g}")]
            for i in sorted(strongest, key=lambda i: -abs(products.flat[i]))
        ],
    }


def _attribution(
    model: Model, pixels: UInt8Array, logits: FloatArray, *, code: int
) -> tuple[dict[str, Any] | None, list[str]]:
    """Integrated gradients of the answer's logit, with as many steps as there is time for.

    Source: Sundararajan et al. 2017, arXiv:1703.01365, equation 3 with the gradient at the middle
        of each step; what the parts' sum misses, as its proposition 1 has it, is `error`.
    """
    network = model.network
    assert network is not None  # who calls has looked
    steps = min(MAX_STEPS, BUDGET // (3 * network.multiplications or 1))
    if steps < 1:
        return None, ["No attribution: it would take too long for so large a network."]
    image = pixels.astype(np.float32)
    middles = ((np.arange(steps) + 0.5) / steps).astype(np.float32)
    gradients = network.gradient(middles[:, None, None, None] * image, code=code)
    values = (gradients.mean(axis=0, dtype=np.float64) * image).sum(axis=2)
    of_black = network.forward(np.zeros_like(image)[None])[-1][0]
    change = float(logits[code]) - float(of_black[code])
    largest = float(np.abs(values).max())
    missed = abs(float(values.sum()) - change)
    attribution = {
        "class": model.record.class_names[code],
        "largest": largest,
        "steps": steps,
        "change": change,
        "error": missed / abs(change) if change else missed,
        "data": encoded(signed_bytes(values, largest)),
    }
    return attribution, []
