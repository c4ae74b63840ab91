"""A Keras model taken apart: every step of a forward pass, and the gradients through it.

Models inside the model are opened, so that each step is one layer, and pixels come in as floats, so
that a picture can fade.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.errors import ArtifactError
from apple_clf.explanation.network import PIXELS
from apple_clf.explanation.record import Backward, BackwardStep
from apple_clf.model.backend import keras, memory_told, tf

BATCH = 64
BATCH_VALUES = 1 << 25
"""Numbers that one batch may make, 128 MiB; large pictures go in smaller batches."""

Tensor = Any  # TensorFlow and Keras ship no types


@dataclass(frozen=True)
class Step:
    """One layer at work."""

    name: str
    layer: Any  # a Keras layer
    sources: tuple[int, ...]  # places of the steps whose outputs it takes, or PIXELS
    shape: tuple[int, ...]  # of its output, without the batch

    @property
    def kind(self) -> str:
        """The name of its Keras class."""
        return type(self.layer).__name__


@dataclass(frozen=True)
class Forward:
    """What every step made of one picture."""

    pixels: FloatArray  # float32, (height, width, channels), 0 to 255
    outputs: tuple[NDArray[np.float32], ...]  # one a step, without the batch
    logits: FloatArray  # float32, (n_classes,), before the last step's softmax

    def entering(self, step: Step) -> NDArray[np.float32]:
        """What a step with one input got."""
        (source,) = step.sources
        return np.asarray(self.pixels, np.float32) if source == PIXELS else self.outputs[source]


class Network:
    """The steps from the pixels to the softmax over the classes, which is the last."""

    def __init__(self, model: keras.Model, *, n_classes: int) -> None:
        """Takes a model apart; its weights are shared, not copied.

        Args:
            model: (n, height, width, channels) -> (n, n_classes).
            n_classes: that the output must tell apart.

        Raises:
            ArtifactError: it does not end in a softmax layer over so many classes.
        """
        pixels = keras.Input(model.input_shape[1:], dtype="float32")
        steps, tensors = _take_apart(model, pixels)
        self.steps = tuple(steps)
        self.input_shape: tuple[int, int, int] = tuple(model.input_shape[1:])
        last = steps[-1]
        if not _is_output(last, n_classes=n_classes):
            raise ArtifactError(
                f"the model does not end in a softmax layer over {n_classes} classes, as its "
                "model.json says. Copy the run again, or train again."
            )
        self.output = last
        self._forward = keras.Model(pixels, tensors[:-1])
        self._compiled = tf.function(  # once; some layers of Keras would compile at every call
            self._run,
            input_signature=[tf.TensorSpec((None, *self.input_shape), tf.float32)],
            autograph=False,
        )
        n_values = sum(math.prod(step.shape) for step in steps)
        self._batch = max(1, min(BATCH, BATCH_VALUES // n_values))

    @memory_told()
    def forward(self, pixels: UInt8Array) -> Forward:
        """What every step makes of one picture, as in prediction.

        Args:
            pixels: uint8, (height, width, channels).
        """
        x = tf.constant(pixels[None], tf.float32)
        outputs, logits = self._run(x)
        outputs = [*outputs, keras.ops.softmax(logits)]
        return Forward(x[0].numpy(), tuple(y[0].numpy() for y in outputs), logits[0].numpy())

    @memory_told()
    def logits(self, images: FloatArray, *, code: int) -> FloatArray:
        """One class's logit, float64, (n,).

        Args:
            images: (n, height, width, channels), 0 to 255.
            code: of the class.
        """
        parts = [self._compiled(x)[1][:, code].numpy() for x in self._batches(images)]
        return np.concatenate(parts).astype(np.float64)

    @memory_told()
    def logit_gradients(self, images: FloatArray, *, code: int) -> FloatArray:
        """Gradient of one class's logit by the pixels, float32, (n, height, width, channels).

        Args:
            images: (n, height, width, channels), 0 to 255.
            code: of the class.
        """
        parts = []
        for x in self._batches(images):
            with tf.GradientTape() as tape:
                tape.watch(x)
                logit = self._compiled(x)[1][:, code]
            parts.append(tape.gradient(logit, x, unconnected_gradients="zero").numpy())
        return np.concatenate(parts)

    @memory_told()
    def features(self, images: UInt8Array) -> FloatArray:
        """What the last step gets of each picture, float32, (n, n_features).

        Args:
            images: uint8, (n, height, width, channels).
        """
        (source,) = self.output.sources
        parts = [self._compiled(x)[0][source].numpy() for x in self._batches(images)]
        return np.concatenate(parts)

    @memory_told()
    def backward(self, pixels: UInt8Array, *, label: str, code: int) -> Backward:
        """The log loss of one labelled picture, and its gradient at every step.

        Args:
            pixels: uint8, (height, width, channels).
            label: name of the true class.
            code: of the true class.
        """
        x = tf.constant(pixels[None], tf.float32)
        weights = [[w.value for w in step.layer.trainable_weights] for step in self.steps]
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs, logits = self._run(x)
            loss = -tf.nn.log_softmax(tf.cast(logits, tf.float64))[0, code]  # a small one, too
        gradient = partial(tape.gradient, unconnected_gradients="zero")
        by_pixels, by_outputs, by_weights = gradient(loss, [x, [*outputs, logits], weights])
        steps = [
            BackwardStep(
                layer=step.name,
                by_output=_norm([by_output]),
                by_weights=_norm(by_own) if by_own else None,
            )
            for step, by_output, by_own in zip(self.steps, by_outputs, by_weights, strict=True)
        ]
        return Backward(
            label=label,
            loss=float(loss),
            probability=float(tf.exp(-loss)),
            steps=tuple(reversed(steps)),
            by_pixels=_norm([by_pixels]),
        )

    def _run(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """The outputs of all steps but the last, and the logits."""
        outputs = self._forward(x, training=False)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        (source,) = self.output.sources
        layer = self.output.layer
        logits = keras.ops.matmul(outputs[source], layer.kernel)
        return outputs, logits + layer.bias if layer.use_bias else logits

    def _batches(self, images: UInt8Array | FloatArray) -> list[Tensor]:
        size = self._batch
        return [tf.constant(images[i : i + size], tf.float32) for i in range(0, len(images), size)]


def _take_apart(model: keras.Model, pixels: Tensor) -> tuple[list[Step], list[Tensor]]:
    """The layers called anew on a float input, in the order in which they compute."""
    steps: list[Step] = []
    tensors: list[Tensor] = []

    def call(layer: Any, inputs: Any, *_args: object, **_kwargs: object) -> Tensor:
        if isinstance(layer, keras.Model):
            return through(layer, inputs[0] if isinstance(inputs, list) else inputs)
        output = layer(inputs)
        entering = inputs if isinstance(inputs, list | tuple) else [inputs]
        places = (next((i for i, t in enumerate(tensors) if t is x), PIXELS) for x in entering)
        steps.append(Step(layer.name, layer, tuple(places), tuple(output.shape[1:])))
        tensors.append(output)
        return output

    def through(model: keras.Model, x: Tensor) -> Tensor:
        if isinstance(model, keras.Sequential):
            for layer in model.layers:
                x = call(layer, x)
            return x
        before = len(tensors)
        keras.models.clone_model(  # which walks through the graph, and is wanted for nothing else
            model,
            input_tensors=[x] if isinstance(model.input, list) else x,
            clone_function=lambda layer: layer,
            call_function=call,
        )
        return tensors[-1] if len(tensors) > before else x  # the output is computed last

    through(model, pixels)
    return steps, tensors


def _is_output(step: Step, *, n_classes: int) -> bool:
    layer = step.layer
    return (
        isinstance(layer, keras.layers.Dense)
        and layer.activation is keras.activations.softmax
        and step.shape == (n_classes,)
        and step.sources != (PIXELS,)
    )


def _norm(gradients: list[Tensor]) -> float:
    """Euclidean norm over all of them."""
    return float(tf.linalg.global_norm(gradients))
