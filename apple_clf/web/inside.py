"""One picture and a model -> all that the page shows of it, as JSON."""

import base64
from typing import Any

import numpy as np

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.explanation.first_layer import WeightHistory
from apple_clf.explanation.overview import Connections, LayerOutput, look_inside
from apple_clf.explanation.record import Attribution
from apple_clf.images import loading
from apple_clf.web.models import Model

MAX_UNITS = 512
MAX_MAPS = 32
"""Units and channels of a layer that are sent; the rest is counted."""


def explain_picture(model: Model, body: bytes) -> dict[str, Any]:
    """Answer, pixels, layers, connections and attribution of one picture.

    Arrays of many numbers are base64 of bytes: pixels as they are, activations of pictures and
    attributions as 128 + value / `largest` * 127.

    Args:
        model: used by no other thread meanwhile.
        body: the picture's file.

    Raises:
        ImageError: it is not a usable picture.
        ArtifactError: the weights are so large that answers overflow.
    """
    return explain_loaded(model, loading.load(body, model.record.preprocessing))


def explain_loaded(model: Model, loaded: loading.Loaded) -> dict[str, Any]:
    """As `explain_picture`, for a picture that was read already.

    Raises:
        ArtifactError: the weights are so large that answers overflow.
    """
    pixels = loaded.pixels
    (answer,) = model.predictor.answer_prepared([""], [pixels])
    outputs = model.predictor.outputs(pixels[None])
    class_name = str(answer.class_name)
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
    code = model.record.class_names.index(class_name)
    inside = look_inside(model.network, pixels, code=code, class_name=class_name)
    found["layers"] = [_layer(layer) for layer in inside.layers]
    found["connections"] = [_connections(each) for each in inside.connections]
    if inside.attribution is None:
        note = "No attribution: it would take too long for so large a network."
        found["notes"].append(note)
    else:
        found["attribution"] = _attribution(inside.attribution)
    return found


def describe_weights(history: WeightHistory) -> dict[str, Any]:
    """The first layer's weights at each epoch as bytes, all on one scale."""
    n_units, height, width = history.pictures.shape[1:]
    largest = float(np.abs(history.pictures).max())
    return {
        "layer": history.layer,
        "height": height,
        "width": width,
        "units": n_units,
        "epochs": list(history.epochs),
        "largest": largest,
        "pictures": [_signed(epoch, largest) for epoch in history.pictures],
    }


def _picture(pixels: UInt8Array) -> dict[str, Any]:
    height, width, channels = pixels.shape
    return {"height": height, "width": width, "channels": channels, "data": _encoded(pixels)}


def _layer(layer: LayerOutput) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": layer.name,
        "kind": layer.kind,
        "shape": list(layer.output.shape),
        "n_units": layer.output.shape[-1],
        "n_zero": layer.n_zero,
        "largest": layer.largest,
        "values": None,
        "maps": None,
    }
    if layer.output.ndim == 1:
        described["values"] = [float(f"{value:.5g}") for value in layer.output[:MAX_UNITS]]
    else:
        maps = np.moveaxis(layer.output[..., :MAX_MAPS], -1, 0)
        n, height, width = maps.shape
        data = _signed(maps, layer.largest)
        described["maps"] = {"count": n, "height": height, "width": width, "data": data}
    return described


def _connections(connections: Connections) -> dict[str, Any]:
    return {
        "layer": connections.layer,
        "source": connections.source,
        "links": [
            [source, unit, float(f"{product:.4g}")] for source, unit, product in connections.links
        ],
    }


def _attribution(attribution: Attribution) -> dict[str, Any]:
    values = attribution.values.sum(axis=2)
    largest = float(np.abs(values).max())
    return {
        "class": attribution.class_name,
        "largest": largest,
        "steps": attribution.n_steps,
        "change": attribution.change,
        "error": attribution.error,
        "data": _signed(values, largest),
    }


def _signed(values: FloatArray, largest: float) -> str:
    """128 + value / largest * 127 as bytes in base64; largest is 0 if all values are."""
    return _encoded((128 + values / (largest or 1) * 127).round().astype(np.uint8))


def _encoded(array: UInt8Array) -> str:
    """The bytes of an array, as base64."""
    return base64.b64encode(array.tobytes()).decode()
