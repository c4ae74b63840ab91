"""A model as a .keras file and as a LiteRT file, the same bytes for the same weights."""

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from apple_clf.backend import keras, memory_told, tf
from apple_clf.quiet import quiet_stderr


@memory_told()
def keras_bytes(model: keras.Model) -> bytes:
    """The model as a .keras file, the same bytes for the same weights.

    Keras writes times and memory addresses into the archive; here they are the same always.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        written = path.read_bytes()
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(written)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target,
    ):
        for name in sorted(source.namelist()):
            content = source.read(name)
            if name == "metadata.json":
                content = json.dumps(
                    {**json.loads(content), "date_saved": "1980-01-01@00:00:00"}
                ).encode()
            elif name == "config.json":
                content = _renumber_shared(content)
            target.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def _renumber_shared(config: bytes) -> bytes:
    """Keras's JSON with shared objects counted from 0; Keras names them by memory address."""
    numbers: dict[int, int] = {}

    def renumber(part: dict[str, Any]) -> dict[str, Any]:
        if "shared_object_id" in part:
            address = part["shared_object_id"]
            part["shared_object_id"] = numbers.setdefault(address, len(numbers))
        return part

    return json.dumps(json.loads(config, object_hook=renumber)).encode()


@memory_told()
def litert_bytes(model: keras.Model) -> bytes:
    """The model as a LiteRT file, the same bytes for the same weights."""
    frozen = _frozen(model)
    with quiet_stderr():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen], model)
        content: bytes = converter.convert()
    return content


def _frozen(model: keras.Model) -> Any:
    """The forward pass of inference with the weights as constants."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    signature = tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8, name="pixels")
    forward = tf.function(lambda pixels: model(pixels, training=False))
    return convert_variables_to_constants_v2(forward.get_concrete_function(signature))
