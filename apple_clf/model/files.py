"""A model as a .keras file and as a LiteRT file, the same bytes for the same weights."""

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Sequence
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
    logits = logits_of(model)

    def forward(pixels: tf.Tensor) -> list[tf.Tensor]:
        answers = [logits(pixels)]
        if novelty is not None:
            standard = (appearance(pixels) - tf.constant(novelty.mean)) @ novelty.whitening
            answers.append(tf.reduce_sum(tf.square(standard), axis=1))
        return answers

    named = named_outputs(frozen(forward, pixels), ("logits", "novelty"))
    with quiet_stderr():
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [named.get_concrete_function(pixels)], tf.Module()
        )
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


def frozen(forward: Callable[[tf.Tensor], list[tf.Tensor]], pixels: tf.TensorSpec) -> Any:
    """A forward pass as one graph, with the weights as constants.

    Args:
        forward: of a tensor, to one or more.
        pixels: shape, type and name of its input.
    """
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    return convert_variables_to_constants_v2(tf.function(forward).get_concrete_function(pixels))


def named_outputs(graph: Any, names: Sequence[str]) -> Any:
    """A frozen pass as a function whose outputs have names, which only such a one has.

    Args:
        graph: from `frozen`.
        names: of its outputs; one too many does no harm.
    """
    definition = graph.graph.as_graph_def()
    for node in definition.node:  # gradients of its own, as silu has, cannot be saved
        node.attr.pop("_gradient_op_type", None)

    def named(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = tf.graph_util.import_graph_def(
            definition,
            input_map={graph.inputs[0].name: pixels},
            return_elements=[tensor.name for tensor in graph.outputs],
            name="",
        )
        return dict(zip(names, outputs, strict=False))

    return tf.function(named)
