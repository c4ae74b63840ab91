"""Layers in NumPy: what each makes of its input, and the gradient back to that input.

A new one is a class here, or in `convolutions` if it slides over pictures, and an entry of `KINDS`,
which makes it from the settings and weights of its Keras layer. All arrays are batches, float32,
(n, ...); weights are constants, so no gradient goes to them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from apple_clf.arrays import FloatArray
from apple_clf.explanation.network import TRAINING_ONLY
from apple_clf.explanation.numpy_backend import activations
from apple_clf.explanation.numpy_backend.settings import (
    Settings,
    Weights,
    expect,
    function_of,
    kernel_and_bias,
)


class Layer(Protocol):
    """One step from one array to the next."""

    def forward(self, x: FloatArray) -> FloatArray:
        """What comes out."""
        ...

    def backward(self, x: FloatArray, gradient: FloatArray) -> FloatArray:
        """The gradient by what went in, from the gradient by what came out."""
        ...

    def multiplications(self, shape: tuple[int, ...]) -> int:
        """Products with weights for one image, whose output has this shape."""
        ...


class Unchanged:
    """Passes on what it gets: dropout and augmentation outside of training."""

    def forward(self, x: FloatArray) -> FloatArray:
        """What came in."""
        return x

    def backward(self, x: FloatArray, gradient: FloatArray) -> FloatArray:
        """What came in."""
        return gradient

    def multiplications(self, shape: tuple[int, ...]) -> int:
        """None."""
        return 0


class Flatten(Unchanged):
    """Each image as one vector."""

    def forward(self, x: FloatArray) -> FloatArray:
        """(n, ...) -> (n, n_values)."""
        return x.reshape(len(x), -1)

    def backward(self, x: FloatArray, gradient: FloatArray) -> FloatArray:
        """The shape that it had."""
        return gradient.reshape(x.shape)


class GlobalAverage(Unchanged):
    """The mean of each channel."""

    def forward(self, x: FloatArray) -> FloatArray:
        """(n, height, width, channels) -> (n, channels)."""
        means: FloatArray = x.mean(axis=(1, 2))
        return means

    def backward(self, x: FloatArray, gradient: FloatArray) -> FloatArray:
        """Every place has the same part in a mean."""
        part = gradient[:, None, None, :] / (x.shape[1] * x.shape[2])
        return np.broadcast_to(part, x.shape)


@dataclass(frozen=True)
class Affine(Unchanged):
    """x * scale + shift: rescaling, and batch normalization outside of training."""

    scale: FloatArray  # a number, or one a channel
    shift: FloatArray

    def forward(self, x: FloatArray) -> FloatArray:
        """The shape stays."""
        return x * self.scale + self.shift

    def backward(self, x: FloatArray, gradient: FloatArray) -> FloatArray:
        """The scale alone matters."""
        return gradient * self.scale


@dataclass(frozen=True)
class Normalization(Unchanged):
    """Layer normalization: each vector with mean 0 and variance 1, then scale and shift.

    Source: Ba et al. 2016, arXiv:1607.06450, equation 4.
    """

    scale: FloatArray  # (n_channels,)
    shift: FloatArray
    epsilon: float

    def forward(self, x: FloatArray) -> FloatArray:
        """Along the last axis."""
        standard, _ = self._standard(x)
        return standard * self.scale + self.shift

    def backward(self, x: FloatArray, gradient: FloatArray) -> FloatArray:
        """Mean and deviation move with every value."""
        standard, deviation = self._standard(x)
        g = gradient * self.scale
        along = standard * (g * standard).mean(axis=-1, keepdims=True)
        back: FloatArray = (g - g.mean(axis=-1, keepdims=True) - along) / deviation
        return back

    def _standard(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        centred = x - x.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(self.epsilon))
        return centred / deviation, deviation


@dataclass(frozen=True)
class Activation(Unchanged):
    """An activation function as a layer of its own."""

    name: str

    def forward(self, x: FloatArray) -> FloatArray:
        """The shape stays."""
        return activations.forward(self.name, x)

    def backward(self, x: FloatArray, gradient: FloatArray) -> FloatArray:
        """Through the function."""
        return activations.backward(self.name, x, gradient)


@dataclass(frozen=True)
class PReLU(Unchanged):
    """x above zero, slope * x below it."""

    slope: FloatArray  # of one image's shape, with 1 for shared axes

    def forward(self, x: FloatArray) -> FloatArray:
        """The shape stays."""
        return np.where(x > 0, x, self.slope * x)

    def backward(self, x: FloatArray, gradient: FloatArray) -> FloatArray:
        """At zero both sides are flat, as in Keras."""
        return gradient * np.where(x > 0, np.float32(1), self.slope * (x < 0))


@dataclass(frozen=True)
class Dense:
    """x @ kernel + bias, then the activation function."""

    kernel: FloatArray  # (n_inputs, n_units)
    bias: FloatArray  # (n_units,)
    activation: str

    def forward(self, x: FloatArray) -> FloatArray:
        """(n, n_inputs) -> (n, n_units)."""
        return activations.forward(self.activation, x @ self.kernel + self.bias)

    def backward(self, x: FloatArray, gradient: FloatArray) -> FloatArray:
        """Through the function and the weights."""
        back = activations.backward(self.activation, x @ self.kernel + self.bias, gradient)
        return back @ self.kernel.T

    def multiplications(self, shape: tuple[int, ...]) -> int:
        """Each weight once."""
        return self.kernel.size


def _batch_normalization(settings: Settings, weights: Weights) -> Layer:
    expect(settings, axis=-1, center=True, scale=True)
    gamma, beta, mean, variance = weights
    scale = gamma / np.sqrt(variance + np.float32(settings["epsilon"]))
    return Affine(scale, beta - mean * scale)


def _layer_normalization(settings: Settings, weights: Weights) -> Layer:
    axis = settings["axis"]
    if axis not in (-1, [-1]):
        expect(settings, axis=-1)
    expect(settings, center=True, scale=True, rms_scaling=False)
    gamma, beta = weights
    return Normalization(gamma, beta, settings["epsilon"])


def _rescaling(settings: Settings, _weights: Weights) -> Layer:
    return Affine(np.array(settings["scale"], np.float32), np.array(settings["offset"], np.float32))


def _dense(settings: Settings, weights: Weights) -> Layer:
    return Dense(*kernel_and_bias(weights), function_of(settings))


def _global_average(settings: Settings, _weights: Weights) -> Layer:
    expect(settings, keepdims=False, data_format="channels_last")
    return GlobalAverage()


def _unchanged(_settings: Settings, _weights: Weights) -> Layer:
    return Unchanged()


KINDS: Mapping[str, Callable[[Settings, Weights], Layer]] = {
    **dict.fromkeys(TRAINING_ONLY, _unchanged),
    "Activation": lambda settings, _: Activation(function_of(settings)),
    "Add": _unchanged,  # the network adds what comes from several sources
    "BatchNormalization": _batch_normalization,
    "Dense": _dense,
    "Flatten": lambda _settings, _weights: Flatten(),
    "GlobalAveragePooling2D": _global_average,
    "LayerNormalization": _layer_normalization,
    "PReLU": lambda _settings, weights: PReLU(*weights),
    "Rescaling": _rescaling,
}
"""Keras class -> what makes the layer from the class's settings and its weights."""
