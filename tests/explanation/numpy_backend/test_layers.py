"""Each layer against Keras, forward and back."""

from typing import Any

import numpy as np
import pytest

from apple_clf.arrays import FloatArray
from apple_clf.explanation.numpy_backend.convolutions import (
    AveragePooling,
    Conv2D,
    DepthwiseConv2D,
    MaxPooling,
    SeparableConv2D,
    Window,
)
from apple_clf.explanation.numpy_backend.layers import (
    Affine,
    Dense,
    GlobalAverage,
    Layer,
    Normalization,
    PReLU,
)
from apple_clf.model.backend import keras, tf

RNG = np.random.default_rng(2)
PICTURES = RNG.normal(size=(3, 7, 6, 4)).astype(np.float32)
VECTORS = RNG.normal(size=(5, 4)).astype(np.float32)
WINDOWS = [
    pytest.param(size, strides, padding, id=f"{size}-{strides}-{padding}")
    for size in ((1, 1), (2, 2), (3, 2), (4, 5))
    for strides in ((1, 1), (2, 1), (3, 3))
    for padding in ("valid", "same")
]


def agrees(ours: Layer, theirs: Any, x: FloatArray) -> None:
    tensor = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        output = theirs(tensor)
        gradient = RNG.normal(size=output.shape).astype(np.float32)
        total = tf.reduce_sum(output * gradient)
    np.testing.assert_allclose(ours.forward(x), output.numpy(), rtol=1e-4, atol=1e-5)
    expected = tape.gradient(total, tensor).numpy()
    np.testing.assert_allclose(ours.backward(x, gradient), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("size", "strides", "padding"), WINDOWS)
def test_convolution(size: tuple[int, int], strides: tuple[int, int], padding: str) -> None:
    theirs = keras.layers.Conv2D(5, size, strides, padding, activation="tanh")
    theirs.build(PICTURES.shape)
    theirs.bias.assign(np.linspace(-1, 1, 5))
    window = Window(size, strides, padding == "same")
    kernel, bias = (np.array(weight) for weight in theirs.get_weights())
    agrees(Conv2D(kernel, bias, "tanh", window), theirs, PICTURES)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (4, 5)])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_depthwise_convolution(size: tuple[int, int], stride: int, padding: str) -> None:
    theirs = keras.layers.DepthwiseConv2D(
        size, stride, padding, depth_multiplier=2, activation="tanh"
    )
    theirs.build(PICTURES.shape)
    theirs.bias.assign(np.linspace(-1, 1, 8))
    window = Window(size, (stride, stride), padding == "same")
    kernel, bias = (np.array(weight) for weight in theirs.get_weights())
    agrees(DepthwiseConv2D(kernel, bias, "tanh", window), theirs, PICTURES)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_separable_convolution(padding: str) -> None:
    theirs = keras.layers.SeparableConv2D(
        5, (2, 3), 2, padding, depth_multiplier=2, activation="gelu"
    )
    theirs.build(PICTURES.shape)
    theirs.bias.assign(np.linspace(-1, 1, 5))
    depthwise, pointwise, bias = (np.array(weight) for weight in theirs.get_weights())
    window, each_pixel = Window((2, 3), (2, 2), padding == "same"), Window((1, 1), (1, 1), False)
    filters = DepthwiseConv2D(depthwise, np.zeros(8, np.float32), "linear", window)
    ours = SeparableConv2D(filters, Conv2D(pointwise, bias, "gelu", each_pixel))
    agrees(ours, theirs, PICTURES)


@pytest.mark.parametrize(("size", "strides", "padding"), WINDOWS)
def test_pooling(size: tuple[int, int], strides: tuple[int, int], padding: str) -> None:
    window = Window(size, strides, padding == "same")
    layers = keras.layers
    agrees(MaxPooling(window), layers.MaxPooling2D(size, strides, padding), PICTURES)
    agrees(AveragePooling(window), layers.AveragePooling2D(size, strides, padding), PICTURES)


def test_equal_values_share_no_gradient() -> None:
    x = np.ones((1, 2, 2, 1), np.float32)
    pooling = MaxPooling(Window((2, 2), (2, 2), False))
    back = pooling.backward(x, np.ones((1, 1, 1, 1), np.float32))
    assert back.ravel().tolist() == [1, 0, 0, 0]


def test_global_average() -> None:
    agrees(GlobalAverage(), keras.layers.GlobalAveragePooling2D(), PICTURES)


@pytest.mark.parametrize("x", [PICTURES, VECTORS], ids=["pictures", "vectors"])
def test_layer_normalization(x: FloatArray) -> None:
    theirs = keras.layers.LayerNormalization(epsilon=1e-3)
    theirs.build(x.shape)
    scale, shift = (RNG.normal(size=4).astype(np.float32) for _ in range(2))
    theirs.set_weights([scale, shift])
    agrees(Normalization(scale, shift, 1e-3), theirs, x)


def test_dense_and_affine() -> None:
    theirs = keras.layers.Dense(3, activation="silu")
    theirs.build(VECTORS.shape)
    kernel, bias = (np.array(weight) for weight in theirs.get_weights())
    agrees(Dense(kernel, bias, "silu"), theirs, VECTORS)
    scaled = Affine(np.array(2, np.float32), np.array(1, np.float32))
    agrees(scaled, keras.layers.Rescaling(2, 1), VECTORS)


@pytest.mark.parametrize("shared_axes", [None, [1, 2]], ids=["each place", "each channel"])
def test_prelu(shared_axes: list[int] | None) -> None:
    theirs = keras.layers.PReLU(alpha_initializer="random_normal", shared_axes=shared_axes)
    theirs.build(PICTURES.shape)
    (slope,) = (np.array(weight) for weight in theirs.get_weights())
    x = np.where(PICTURES < -1, np.float32(0), PICTURES)  # a zero, too
    agrees(PReLU(slope), theirs, x)
