"""The bytes of a run's model.keras -> its network in NumPy, without Keras."""

import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import h5py
import numpy as np

from apple_clf.arrays import FloatArray
from apple_clf.errors import ArtifactError
from apple_clf.explanation.network import PIXELS
from apple_clf.explanation.numpy_backend import activations
from apple_clf.explanation.numpy_backend.layers import (
    Activation,
    Affine,
    AveragePooling,
    Conv2D,
    Dense,
    Flatten,
    GlobalAverage,
    Layer,
    MaxPooling,
    Normalization,
    Unchanged,
    Window,
)
from apple_clf.explanation.numpy_backend.network import Network, Step
from apple_clf.model.keras_file.archive import read_archive
from apple_clf.model.keras_file.network import read_network
from apple_clf.model.keras_file.weights import check_weights

Weights = list[FloatArray]
Settings = Mapping[str, Any]


def read_keras_network(content: bytes) -> Network:
    """The network that a .keras file of this project describes, its output as logits.

    Not covered: layers that no experiment names, and models inside of the model, as imported
    ones have.

    Args:
        content: the file, its SHA-256 checked.

    Raises:
        ArtifactError: it is damaged, or of another kind; the message does not name the file.
    """
    archive = read_archive(content)
    described = read_network(archive.config)
    check_weights(archive.weights)
    try:
        first, *rest = described["config"]["layers"]
        with h5py.File(io.BytesIO(archive.weights), "r") as file:
            steps = _steps(first["name"], rest, file)
        last = steps[-1]
        if not isinstance(last.layer, Dense) or last.layer.activation != "softmax":
            raise ArtifactError("it does not end in a softmax layer")
        steps[-1] = replace(last, layer=replace(last.layer, activation="linear"))
        return Network(steps, input_shape=tuple(first["config"]["batch_shape"][1:]))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactError(f"it is not put together as expected: {error}") from error


def _steps(pixels: str, parts: list[dict[str, Any]], file: h5py.File) -> list[Step]:
    places = {pixels: PIXELS}
    steps: list[Step] = []
    same_kind: Counter[str] = Counter()
    for part in parts:
        kind, name, settings = part["class_name"], part["name"], part["config"]
        if kind not in _KINDS:
            raise ArtifactError(f"a layer of kind {kind} is none that an experiment names")
        weights = _weights(file, kind, same_kind[kind])
        same_kind[kind] += 1
        sources = tuple(places[source] for source in _sources(part["inbound_nodes"]))
        places[name] = len(steps)
        steps.append(Step(name, kind, _KINDS[kind](settings, weights), sources))
    return steps


def _weights(file: h5py.File, kind: str, number: int) -> Weights:
    """The arrays of a layer; Keras counts the layers of one class: dense, dense_1, dense_2."""
    if kind not in _GROUPS:
        return []
    arrays = file[f"layers/{_GROUPS[kind]}{f'_{number}' if number else ''}/vars"]
    return [np.asarray(arrays[str(i)], np.float32) for i in range(len(arrays))]


_GROUPS = {
    "Dense": "dense",
    "Conv2D": "conv2d",
    "BatchNormalization": "batch_normalization",
    "LayerNormalization": "layer_normalization",
}


def _sources(node: object) -> Iterator[str]:
    """Names of the layers whose outputs a layer takes."""
    if isinstance(node, dict):
        if node.get("class_name") == "__keras_tensor__":
            yield node["config"]["keras_history"][0]
        else:
            yield from _sources(list(node.values()))
    elif isinstance(node, list):
        for inner in node:
            yield from _sources(inner)


def _known(settings: Settings, **expected: object) -> None:
    """Refuses a setting that no experiment gives."""
    for key, value in expected.items():
        if settings.get(key, value) != value:
            raise ArtifactError(f"a layer has {key} {settings[key]!r}, which no experiment gives")


def _function(settings: Settings) -> str:
    name = settings["activation"]
    if name not in activations.NAMES:
        raise ArtifactError(f"its activation {name!r} is none that an experiment names")
    return str(name)


def _kernel_and_bias(weights: Weights) -> tuple[FloatArray, FloatArray]:
    kernel, *bias = weights
    return kernel, bias[0] if bias else np.zeros(kernel.shape[-1], np.float32)


def _dense(settings: Settings, weights: Weights) -> Layer:
    return Dense(*_kernel_and_bias(weights), _function(settings))


def _conv2d(settings: Settings, weights: Weights) -> Layer:
    _known(settings, groups=1, dilation_rate=[1, 1])
    return Conv2D(*_kernel_and_bias(weights), _function(settings), _window(settings, "kernel_size"))


def _window(settings: Settings, size: str) -> Window:
    _known(settings, data_format="channels_last")
    return Window(tuple(settings[size]), tuple(settings["strides"]), settings["padding"] == "same")


def _batch_normalization(settings: Settings, weights: Weights) -> Layer:
    _known(settings, axis=-1, center=True, scale=True)
    gamma, beta, mean, variance = weights
    scale = gamma / np.sqrt(variance + np.float32(settings["epsilon"]))
    return Affine(scale, beta - mean * scale)


def _layer_normalization(settings: Settings, weights: Weights) -> Layer:
    axis = settings["axis"]
    if axis not in (-1, [-1]):
        _known(settings, axis=-1)
    _known(settings, center=True, scale=True, rms_scaling=False)
    gamma, beta = weights
    return Normalization(gamma, beta, settings["epsilon"])


def _rescaling(settings: Settings, _weights: Weights) -> Layer:
    return Affine(np.array(settings["scale"], np.float32), np.array(settings["offset"], np.float32))


def _unchanged(_settings: Settings, _weights: Weights) -> Layer:
    return Unchanged()


def _global_average(settings: Settings, _weights: Weights) -> Layer:
    _known(settings, keepdims=False, data_format="channels_last")
    return GlobalAverage()


_KINDS: Mapping[str, Callable[[Settings, Weights], Layer]] = {
    "Activation": lambda settings, _: Activation(_function(settings)),
    "Add": _unchanged,  # the network adds what comes from several sources
    "AveragePooling2D": lambda settings, _: AveragePooling(_window(settings, "pool_size")),
    "BatchNormalization": _batch_normalization,
    "Conv2D": _conv2d,
    "Dense": _dense,
    "Dropout": _unchanged,
    "Flatten": lambda _settings, _weights: Flatten(),
    "GlobalAveragePooling2D": _global_average,
    "LayerNormalization": _layer_normalization,
    "MaxPooling2D": lambda settings, _: MaxPooling(_window(settings, "pool_size")),
    "RandomContrast": _unchanged,
    "RandomFlip": _unchanged,
    "RandomInvert": _unchanged,
    "RandomRotation": _unchanged,
    "RandomTranslation": _unchanged,
    "RandomZoom": _unchanged,
    "Rescaling": _rescaling,
}
