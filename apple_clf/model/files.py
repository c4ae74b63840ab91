"""A model as a .keras file and as a LiteRT file, the same bytes for the same weights."""

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from apple_clf.io.quiet import quiet_stderr
from apple_clf.model.appearance import appearance
from apple_clf.model.backend import keras, memory_told, tf
from apple_clf.model.building import OUTPUT_LAYER
from apple_clf.prediction.decision.novelty import Gaussian


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
def litert_bytes(model: keras.Model, *, novelty: Gaussian | None = None) -> bytes:
    """The model as a LiteRT file, the same bytes for the same weights.

    Its outputs have names: `logits`, float32, (n, n_classes), before the softmax, and, if asked
    for, `novelty`, float32, (n,), from 0: how unlike the training images a picture looks.

    Args:
        model: as from `build_model`.
        novelty: the appearance of the training images; None leaves that output out.
    """
    pixels = tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8, name="pixels")
    logits = logits_of(model)

    def forward(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        answers = {"logits": logits(pixels)}
        if novelty is not None:
            standard = (appearance(pixels) - tf.constant(novelty.mean)) @ novelty.whitening
            answers["novelty"] = tf.reduce_sum(tf.square(standard), axis=1)
        return answers

    graph = frozen(forward, pixels, weights=model.weights)
    with quiet_stderr():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([graph], tf.Module())
        converter.exclude_conversion_metadata = True  # a third of the time, read by nobody
        content: bytes = converter.convert()
    return content


def logits_of(model: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """The forward pass of inference up to the logits.

    Args:
        model: as from `build_model`.
    """
    output = model.get_layer(OUTPUT_LAYER)
    features = keras.Model(model.inputs, output.input, name="features")
    return lambda pixels: tf.matmul(features(pixels, training=False), output.kernel) + output.bias


def frozen(
    forward: Callable[[tf.Tensor], dict[str, tf.Tensor]],
    pixels: tf.TensorSpec,
    *,
    weights: Sequence[keras.Variable],
) -> Any:
    """A forward pass as one graph, with the weights as constants.

    Args:
        forward: of a tensor, to others by name.
        pixels: shape, type and name of its input.
        weights: that it uses, at least.
    """
    values = [(variable, variable.numpy()) for variable in weights]

    def constant(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        with keras.StatelessScope([(variable, tf.constant(value)) for variable, value in values]):
            return forward(pixels)

    return tf.function(constant, autograph=False).get_concrete_function(pixels)
