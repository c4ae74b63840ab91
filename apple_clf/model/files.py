"""A model as a .keras file and as a LiteRT file, the same bytes for the same weights."""

import io
import json
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from apple_clf.backend import keras, memory_told, tf
from apple_clf.decision.novelty import Gaussian
from apple_clf.model import OUTPUT_LAYER
from apple_clf.model.appearance import appearance
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
def litert_bytes(model: keras.Model, *, novelty: Gaussian | None = None) -> bytes:
    """The model as a LiteRT file, the same bytes for the same weights.

    Its outputs have names: `logits`, float32, (n, n_classes), before the softmax, and, if asked
    for, `novelty`, float32, (n,), from 0: how unlike the training images a picture looks.

    Args:
        model: as from `build_model`.
        novelty: the appearance of the training images; None leaves that output out.
    """
    pixels = tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8, name="pixels")
    named = _named(_frozen(model, novelty, pixels), ("logits", "novelty"))
    with quiet_stderr():
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [named.get_concrete_function(pixels)], tf.Module()
        )
        content: bytes = converter.convert()
    return content


def _frozen(model: keras.Model, novelty: Gaussian | None, pixels: tf.TensorSpec) -> Any:
    """The forward pass of inference up to the logits, with the weights as constants."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    output = model.get_layer(OUTPUT_LAYER)
    features = keras.Model(model.inputs, output.input, name="features")

    def forward(pixels: tf.Tensor) -> list[tf.Tensor]:
        answers = [tf.matmul(features(pixels, training=False), output.kernel) + output.bias]
        if novelty is not None:
            standard = (appearance(pixels) - tf.constant(novelty.mean)) @ novelty.whitening
            answers.append(tf.reduce_sum(tf.square(standard), axis=1))
        return answers

    return convert_variables_to_constants_v2(tf.function(forward).get_concrete_function(pixels))


def _named(frozen: Any, names: Sequence[str]) -> Any:
    """The frozen pass as a function whose outputs have names, which only such a one has."""
    graph = frozen.graph.as_graph_def()
    for node in graph.node:  # gradients of its own, as silu has, cannot be saved, nor need they
        node.attr.pop("_gradient_op_type", None)

    def named(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = tf.graph_util.import_graph_def(
            graph,
            input_map={frozen.inputs[0].name: pixels},
            return_elements=[tensor.name for tensor in frozen.outputs],
            name="",
        )
        return dict(zip(names, outputs, strict=False))

    return tf.function(named)
