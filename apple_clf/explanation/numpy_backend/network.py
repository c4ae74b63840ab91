"""A run's network in NumPy: every step of a forward pass, and the gradient of a logit.

Serving must not load TensorFlow, and a LiteRT file gives the last numbers only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.explanation.network import PIXELS
from apple_clf.explanation.numpy_backend.layers import Layer


@dataclass(frozen=True)
class Step:
    """One layer at work; of several inputs it takes the sum."""

    name: str
    kind: str  # Keras's class
    layer: Layer
    sources: tuple[int, ...]  # places of earlier steps, or PIXELS


class Network:
    """The steps from the pixels to the logits, which are the outputs of the last."""

    def __init__(self, steps: Sequence[Step], *, input_shape: tuple[int, int, int]) -> None:
        """Takes the steps in the order in which they are computed.

        Args:
            steps: each after its sources.
            input_shape: height, width and channels.
        """
        self.steps = tuple(steps)
        self.input_shape = input_shape
        outputs = self.forward(np.zeros((1, *input_shape), np.float32))
        self.shapes = tuple(output.shape[1:] for output in outputs)
        self.multiplications = sum(
            step.layer.multiplications(shape)
            for step, shape in zip(self.steps, self.shapes, strict=True)
        )

    def forward(self, pixels: UInt8Array | FloatArray) -> list[FloatArray]:
        """What each step makes of some pictures, float32, (n, ...) each.

        Args:
            pixels: 0 to 255, (n, height, width, channels).
        """
        x = pixels.astype(np.float32)
        outputs: list[FloatArray] = []
        for step in self.steps:
            outputs.append(step.layer.forward(self._entering(step, x, outputs)))
        return outputs

    def logits(self, images: UInt8Array | FloatArray, *, code: int) -> FloatArray:
        """One class's logit, float64, (n,).

        Args:
            images: 0 to 255, (n, height, width, channels).
            code: of the class.
        """
        return self.forward(images)[-1][:, code].astype(np.float64)

    def logit_gradients(self, images: UInt8Array | FloatArray, *, code: int) -> FloatArray:
        """Gradient of one class's logit by the pixels, float32, (n, height, width, channels).

        Args:
            images: 0 to 255, (n, height, width, channels).
            code: of the class.
        """
        x = images.astype(np.float32)
        outputs = self.forward(x)
        gradients = [np.zeros_like(output) for output in outputs]
        gradients[-1][:, code] = 1
        by_pixels = np.zeros_like(x)
        for place in range(len(self.steps) - 1, -1, -1):
            step = self.steps[place]
            back = step.layer.backward(self._entering(step, x, outputs), gradients[place])
            for source in step.sources:
                target = by_pixels if source == PIXELS else gradients[source]
                target += back
        return by_pixels

    def _entering(self, step: Step, x: FloatArray, outputs: Sequence[FloatArray]) -> FloatArray:
        first, *rest = (x if source == PIXELS else outputs[source] for source in step.sources)
        for other in rest:
            first = first + other
        return first
