"""A small sound .keras file, and the parts to build unsound ones from."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

Part = dict[str, Any]

FLOAT32 = {
    "module": "keras",
    "class_name": "DTypePolicy",
    "config": {"name": "float32"},
    "registered_name": None,
}


def part(name: str, /, *, module: str | None = "keras.layers", **config: object) -> Part:
    """An object as Keras describes it."""
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def network(*layers: Part, image: tuple[int | None, ...] = (2, 2, 1)) -> Part:
    """A network of layers between an image and a dense layer of two units."""
    layer = part("InputLayer", batch_shape=[None, *image], dtype="float32", name="input")
    dense = part("Dense", units=2, activation="softmax", name="dense")
    flat = part("Flatten", name="flatten")
    return model(layer, *layers, flat, dense)


def model(*layers: Part) -> Part:
    """A Sequential model of these layers."""
    return part("Sequential", module="keras", name="model", layers=list(layers))


def arrays(kernel: tuple[int, int] = (4, 2)) -> dict[str, NDArray[np.float32]]:
    """The weights of the dense layer."""
    values = np.random.default_rng(0).normal(size=kernel).astype(np.float32)
    return {"layers/dense/vars/0": values, "layers/dense/vars/1": np.zeros(kernel[1], np.float32)}


def weights(
    contents: Mapping[str, NDArray[np.float32]] | None = None,
    change: Callable[[h5py.File], object] = lambda file: None,
) -> bytes:
    """An HDF5 file of arrays, changed at the end."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, values in (arrays() if contents is None else contents).items():
            file[name] = values
        change(file)
    return buffer.getvalue()


def pack(
    description: object = None,
    *,
    h5: bytes | None = None,
    metadata: object = None,
    more: Mapping[str, bytes] | None = None,
    packing: int = zipfile.ZIP_STORED,
) -> bytes:
    """A .keras file; what is left out is sound."""
    members = {
        "metadata.json": json.dumps(metadata or {"keras_version": "3.15.1"}).encode(),
        "config.json": (
            description
            if isinstance(description, bytes)
            else json.dumps(description or network()).encode()
        ),
        "model.weights.h5": weights() if h5 is None else h5,
        **(more or {}),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()
