"""Somebody else's Keras model -> one of this project's shape: raw pixels in, a softmax out.

What predicts, evaluates, calibrates and exports then need not know where a model came from. The
weights are the same; only the way in and the last step are written anew.
"""

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from apple_clf.arrays import FloatArray
from apple_clf.errors import ArtifactError
from apple_clf.images.preprocessing import MAX_SIDE
from apple_clf.model.backend import keras
from apple_clf.model.building import OUTPUT_LAYER


@dataclass(frozen=True)
class Scaling:
    """A pixel p of 0 to 255 becomes scale * p + offset before another's model sees it."""

    scale: float = 1 / 255
    offset: float = 0.0


@dataclass(frozen=True)
class Adapted:
    """A model of this project's shape, and what was found and done to make it one."""

    model: keras.Model  # (n, height, width, channels) uint8 -> (n, n_classes), rows sum to 1
    input_shape: tuple[int, int, int]
    scaling: Scaling
    notes: tuple[str, ...]  # one sentence each


@dataclass(frozen=True)
class _Head:
    """The last step as logits: features times kernel plus bias."""

    features: Any  # symbolic tensor, (n, n_features)
    kernel: FloatArray  # (n_features, n_units)
    bias: FloatArray  # (n_units,)
    activation: str


def adapt(model: keras.Model, *, n_classes: int, scaling: Scaling | None = None) -> Adapted:
    """The model with raw pixels as its input and a softmax over the classes as its output.

    Args:
        model: one input, one output.
        n_classes: that the output must tell apart.
        scaling: what to do to pixels first; if left out, 1/255 for a model that does not
            rescale by itself, and nothing for one that does.

    Raises:
        ArtifactError: its input is not an image, or its output no answer about so many classes.
    """
    shape = _image_shape(tuple(model.input_shape[1:]))
    dtype = keras.backend.standardize_dtype(model.inputs[0].dtype)
    scaling, scaling_note = _scaling(model, dtype, scaling)
    head = _head(model)
    kernel, bias, head_note = _softmax(head, n_classes)

    pixels = keras.Input(shape, dtype="uint8", name="pixels")
    x = pixels
    if dtype != "uint8":
        x = keras.layers.Rescaling(scaling.scale, scaling.offset, name="rescaling")(x)
    if shape != tuple(model.input_shape[1:]):
        x = keras.layers.Reshape(model.input_shape[1:], name="reshape")(x)
    x = keras.Model(model.inputs, head.features, name="features")(x)
    output = keras.layers.Dense(n_classes, activation="softmax", name=OUTPUT_LAYER)
    adapted = keras.Model(pixels, output(x), name="apple_clf")
    output.set_weights([kernel, bias])
    return Adapted(adapted, shape, scaling, (scaling_note, head_note))


def _image_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Height, width and channels; a flat input is a square image, gray or else in colour."""
    match shape:
        case (height, width, 1 | 3 as channels):
            found = (height, width, channels)
        case (height, width):
            found = (height, width, 1)
        case (n,) if math.isqrt(n) ** 2 == n:
            found = (math.isqrt(n), math.isqrt(n), 1)
        case (n,) if n % 3 == 0 and math.isqrt(n // 3) ** 2 == n // 3:
            found = (math.isqrt(n // 3), math.isqrt(n // 3), 3)
        case _:
            raise ArtifactError(
                f"its input {shape} is not an image of one or three channels, nor a flat square "
                "one. Build it on keras.Input((height, width, channels))."
            )
    if not all(1 <= side <= MAX_SIDE for side in found):
        raise ArtifactError(f"its images of {found} are larger than {MAX_SIDE} pixels a side.")
    return found


def _scaling(model: keras.Model, dtype: str, asked: Scaling | None) -> tuple[Scaling, str]:
    """What is done to the pixels, and the sentence about it."""
    if dtype == "uint8":
        if asked is not None:
            raise ArtifactError("it takes bytes, which cannot be scaled. Leave the scale out.")
        return Scaling(1.0), "It takes bytes, so it gets the pixels as they are"
    if dtype != "float32":
        raise ArtifactError(f"its input is {dtype}; it must be float32 or uint8.")
    if asked is not None:
        found, reason = asked, "as asked"
    elif any(isinstance(layer, _RESCALING) for layer in _layers(model)):
        found, reason = Scaling(1.0), "since it rescales them itself"
    else:
        found = Scaling()
        reason = "a guess: if it learnt from other numbers, give --scale and --offset"
    return found, (
        f"It gets pixels of {found.offset:g} to {255 * found.scale + found.offset:g}, {reason}"
    )


_RESCALING = (keras.layers.Rescaling, keras.layers.Normalization)


def _layers(model: keras.Model) -> list[keras.Layer]:
    """All layers, those of models inside it too."""
    found = []
    for layer in model.layers:
        found += _layers(layer) if isinstance(layer, keras.Model) else [layer]
    return found


def _head(model: keras.Model) -> _Head:
    """The last step taken apart."""
    if len(model.outputs) != 1 or len(model.output_shape) != 2:
        raise ArtifactError("it does not answer one row of numbers for each image.")
    last = _maker(model, model.outputs[0])
    if isinstance(last, keras.layers.Dense):
        return _dense(last, activation=last.activation.__name__)
    if isinstance(last, keras.layers.Softmax) and last.axis in {-1, 1}:
        activation = "softmax"
    elif isinstance(last, keras.layers.Activation):
        activation = last.activation.__name__
    else:
        kind = type(last).__name__ if last else "a layer used twice, or a model of its own"
        raise ArtifactError(
            f"it ends in {kind}, so its answers may be anything. "
            "End it with Dense(n_classes, activation='softmax')."
        )
    before = _maker(model, last.input)
    if isinstance(before, keras.layers.Dense) and before.activation.__name__ == "linear":
        return _dense(before, activation=activation)
    identity = np.eye(model.output_shape[-1], dtype=np.float32)
    return _Head(last.input, identity, np.zeros_like(identity[0]), activation)


def _maker(model: keras.Model, tensor: Any) -> keras.Layer | None:
    """The layer that makes a symbolic tensor; None for one that is used more than once."""
    for layer in reversed(model.layers):
        with suppress(AttributeError):  # which Keras raises of a layer that is used twice
            if layer.output is tensor:
                return layer
    return None


def _dense(layer: keras.layers.Dense, *, activation: str) -> _Head:
    kernel, *rest = layer.get_weights()
    bias = rest[0] if rest else np.zeros(layer.units, np.float32)
    return _Head(layer.input, kernel, bias, activation)


def _softmax(head: _Head, n_classes: int) -> tuple[FloatArray, FloatArray, str]:
    """Kernel and bias of a softmax layer that answers the same, and the sentence about it."""
    n_units = len(head.bias)
    if n_units == 1 and n_classes == 2 and head.activation in {"sigmoid", "linear"}:
        # sigmoid(z) is the second entry of softmax([0, z])
        kernel = np.concatenate([np.zeros_like(head.kernel), head.kernel], axis=1)
        bias = np.concatenate([np.zeros_like(head.bias), head.bias])
        return kernel, bias, f"It answers with one unit ({head.activation}) for the second class"
    if n_units != n_classes:
        raise ArtifactError(
            f"it tells apart {max(2, n_units)} classes, but the data have {n_classes}. "
            "Name a folder with one subfolder for each class it knows."
        )
    if head.activation == "softmax":
        return head.kernel, head.bias, "It answers with probabilities (softmax)"
    if head.activation == "linear":
        return head.kernel, head.bias, "It answers with logits (linear), so a softmax was added"
    raise ArtifactError(
        f"it ends in the activation {head.activation}, so its answers are not probabilities of "
        f"{n_classes} classes that exclude each other. End it with softmax or linear."
    )
