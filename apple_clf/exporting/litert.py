"""A frozen graph -> LiteRT files, in floats and in bytes; and LiteRT, which answers from them."""

import io
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.errors import ArtifactError
from apple_clf.exporting.graph import (
    OUTPUT,
    as_function_of_floats,
    probabilities_graph,
)
from apple_clf.io.quiet import quiet_stderr
from apple_clf.model.backend import keras, memory_told, tf

N_CALIBRATING = 500
"""Training images that the ranges of the quantised numbers are read off."""

BATCH = 256


@memory_told()
def float_litert(model: keras.Model, *, temperature: float) -> bytes:
    """A LiteRT file, any number of uint8 images -> float32 probabilities.

    Args:
        model: as from `build_model`.
        temperature: that its logits are divided by before the softmax.
    """
    graph = probabilities_graph(model, temperature=temperature)
    return _convert(_converter(graph))


@memory_told()
def int8_litert(model: keras.Model, *, temperature: float, training_images: UInt8Array) -> bytes:
    """A LiteRT file that computes with integers alone: one uint8 image -> uint8 probabilities.

    A pixel is its own quantised value; a probability p is about 256 p.

    Args:
        model: as from `build_model`.
        temperature: that its logits are divided by before the softmax.
        training_images: uint8, (n, height, width, channels), n at least 1.

    Raises:
        ArtifactError: the network does what LiteRT cannot do with integers.
    """
    graph = probabilities_graph(model, temperature=temperature, batch=1)
    converter = _converter(as_function_of_floats(graph))
    step = max(1, len(training_images) // N_CALIBRATING)
    images = training_images[::step][:N_CALIBRATING]

    def calibrating() -> Iterator[dict[str, FloatArray]]:
        for image in _reaching_all_values(images):
            yield {"pixels": image[None].astype(np.float32)}

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = calibrating
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    try:
        content = _convert(converter)
    except (RuntimeError, ValueError, tf.errors.OpError) as error:
        raise _needs_floats() from error
    if any(tensor["dtype"] == np.float32 for tensor in _open(content).get_tensor_details()):
        raise _needs_floats()  # left where LiteRT has no integers, as for elu
    return content


def _needs_floats() -> ArtifactError:
    return ArtifactError(
        "LiteRT cannot compute this network with integers alone; that it can with relu, relu6 or "
        "tanh is known. Export it as litert."
    )


def _reaching_all_values(images: UInt8Array) -> UInt8Array:
    """The images, the first with one black and one white value.

    The range of the input is then 0 to 255, and a byte stands for itself.
    """
    images = images.copy()
    images[0].flat[0], images[0].flat[-1] = 0, 255
    return images


def _converter(function: Any) -> Any:
    return tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module())


def _convert(converter: Any) -> bytes:
    with quiet_stderr(), warnings.catch_warnings():
        # The converter warns that the interpreter which it calibrates with will be removed.
        warnings.filterwarnings("ignore", message=r"\s*Warning: tf.lite.Interpreter is deprecated")
        content: bytes = converter.convert()
    return content


def with_files(content: bytes, files: Mapping[str, str]) -> bytes:
    """The LiteRT file with a ZIP of texts behind it, which every reader of LiteRT passes over.

    Source: that is where TensorFlow Lite Metadata keeps associated files.
    """
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()


def litert_answers(content: bytes) -> Callable[[UInt8Array], FloatArray]:
    """What LiteRT makes of pixels, from a file of either kind."""
    interpreter = _open(content)
    pixels = interpreter.get_input_details()[0]
    output = interpreter.get_signature_runner().get_output_details()[OUTPUT]
    scale, zero = output["quantization"]
    fixed = pixels["shape_signature"][0] == 1

    def answer_some(images: UInt8Array) -> FloatArray:
        if not fixed:
            interpreter.resize_tensor_input(pixels["index"], images.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(pixels["index"], np.ascontiguousarray(images))
        interpreter.invoke()
        answer: FloatArray = interpreter.get_tensor(output["index"])
        return answer if not scale else np.float32(scale) * (answer.astype(np.float32) - zero)

    def answer(images: UInt8Array) -> FloatArray:
        step = 1 if fixed else BATCH
        return np.concatenate(
            [answer_some(images[i : i + step]) for i in range(0, len(images), step)]
        )

    return answer


def output_quantization(content: bytes) -> tuple[float, int]:
    """Scale and zero point of the probabilities in a file of integers."""
    scale, zero = _open(content).get_output_details()[0]["quantization"]
    return float(scale), int(zero)


def _open(content: bytes) -> Interpreter:
    with quiet_stderr():  # LiteRT tells of its delegate
        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
    return interpreter
