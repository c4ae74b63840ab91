"""The bytes of a run's model.keras -> its network in NumPy, without Keras."""

import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import h5py
import numpy as np

from apple_clf.errors import ArtifactError
from apple_clf.explanation.network import PIXELS
from apple_clf.explanation.numpy_backend import convolutions, layers
from apple_clf.explanation.numpy_backend.layers import Dense
from apple_clf.explanation.numpy_backend.network import Network, Step
from apple_clf.explanation.numpy_backend.settings import Weights
from apple_clf.model.keras_file.archive import read_archive
from apple_clf.model.keras_file.network import read_network
from apple_clf.model.keras_file.weights import check_weights

KINDS = {**layers.KINDS, **convolutions.KINDS}


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
        if kind not in KINDS:
            raise ArtifactError(f"a layer of kind {kind} is none that an experiment names")
        weights = _weights(file, kind, same_kind[kind])
        same_kind[kind] += 1
        sources = tuple(places[source] for source in _sources(part["inbound_nodes"]))
        places[name] = len(steps)
        steps.append(Step(name, kind, KINDS[kind](settings, weights), sources))
    return steps


def _weights(file: h5py.File, kind: str, number: int) -> Weights:
    """The arrays of a layer; Keras counts the layers of one class: dense, dense_1, dense_2."""
    group = f"layers/{snake_case(kind)}{f'_{number}' if number else ''}/vars"
    if group not in file:
        return []
    arrays = file[group]
    return [np.asarray(arrays[str(i)], np.float32) for i in range(len(arrays))]


def snake_case(name: str) -> str:
    """A class's name as Keras writes it in a file: Conv2D is conv2d, PReLU is p_re_lu."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


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
