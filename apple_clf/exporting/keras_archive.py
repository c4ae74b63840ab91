"""A model -> a plain .keras file of Keras's own layers, which answers with probabilities."""

import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.exporting.graph import INPUT, OUTPUT
from apple_clf.model.backend import keras
from apple_clf.model.building import OUTPUT_LAYER
from apple_clf.model.files import keras_bytes

CARD_KEY = "apple_clf"


def keras_archive(model: keras.Model, *, temperature: float, card: str) -> bytes:
    """A .keras file: uint8 pixels (n, height, width, channels) -> float32 (n, n_classes).

    Its layers are Keras's own and it is not compiled, so it opens wherever Keras is installed.

    Args:
        model: as from `build_model`.
        temperature: that its logits are divided by before the softmax. It goes into the weights
            of the last layer, since logits / T = features @ (kernel / T) + bias / T.
        card: JSON that the file keeps in its metadata.json, under `CARD_KEY`.
    """
    trained = model.get_layer(OUTPUT_LAYER)
    output = keras.layers.Dense(trained.units, activation="softmax", name=OUTPUT)
    calibrated = keras.Model(model.inputs, output(trained.input), name="apple_clf")
    output.set_weights([weight / np.float32(temperature) for weight in trained.get_weights()])
    return _with_card(keras_bytes(calibrated), json.loads(card))


def _with_card(content: bytes, card: object) -> bytes:
    """The archive with one more key in its metadata, which Keras does not read."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target,
    ):
        for info in source.infolist():
            member = source.read(info)
            if info.filename == "metadata.json":
                member = json.dumps({**json.loads(member), CARD_KEY: card}).encode()
            target.writestr(zipfile.ZipInfo(info.filename), member)
    return buffer.getvalue()


def keras_archive_answers(content: bytes) -> Callable[[UInt8Array], FloatArray]:
    """What Keras answers from such a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"  # Keras goes by the ending
        path.write_bytes(content)
        model = keras.saving.load_model(path)

    def answer(pixels: UInt8Array) -> FloatArray:
        probabilities: FloatArray = model.predict({INPUT: pixels}, verbose=0)
        return probabilities

    return answer
