"""Layers in NumPy that slide a window over pictures: convolutions and pooling."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from apple_clf.arrays import FloatArray
from apple_clf.explanation.numpy_backend import activations
from apple_clf.explanation.numpy_backend.layers import Layer, Unchanged
from apple_clf.explanation.numpy_backend.settings import (
    Settings,
    Weights,
    expect,
    function_of,
    kernel_and_bias,
)

Pair = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """Where windows lie that slide over pictures.

    Source: TensorFlow's `tf.nn` on padding: SAME gives ceil(side / stride) windows, with the odd
    pixel of the border at the end.
    """

    size: Pair
    strides: Pair
    same: bool

    def count(self, sides: Pair) -> Pair:
        """Windows down and across a picture of this height and width."""
        across = zip(sides, self.size, self.strides, strict=True)
        rows, columns = (
            -(-side // step) if self.same else (side - size) // step + 1
            for side, size, step in across
        )
        return rows, columns

    def padded(self, x: FloatArray, *, value: float) -> tuple[FloatArray, Pair]:
        """The picture with its border, and the place of its corner in it."""
        if not self.same:
            return x, (0, 0)
        before, border = [], [(0, 0)]
        counts = self.count((x.shape[1], x.shape[2]))
        for n, side, size, step in zip(counts, x.shape[1:3], self.size, self.strides, strict=True):
            missing = max((n - 1) * step + size - side, 0)
            before.append(missing // 2)
            border.append((missing // 2, missing - missing // 2))
        wide = np.pad(x, [*border, (0, 0)], constant_values=value)
        return wide, (before[0], before[1])

    def views(self, wide: FloatArray, counts: Pair) -> Iterator[tuple[Pair, FloatArray]]:
        """For each place inside of a window, that pixel of all windows, (n, rows, columns, c)."""
        for i in range(self.size[0]):
            for j in range(self.size[1]):
                rows = slice(i, i + (counts[0] - 1) * self.strides[0] + 1, self.strides[0])
                columns = slice(j, j + (counts[1] - 1) * self.strides[1] + 1, self.strides[1])
                yield (i, j), wide[:, rows, columns]


@dataclass(frozen=True)
class Conv2D:
    """Filters that slide over a picture."""

    kernel: FloatArray  # (height, width, n_channels, n_filters)
    bias: FloatArray  # (n_filters,)
    activation: str
    window: Window

    def forward(self, x: FloatArray) -> FloatArray:
        """(n, height, width, channels) -> (n, rows, columns, n_filters)."""
        return activations.forward(self.activation, self._sums(x))

    def backward(self, x: FloatArray, gradient: FloatArray) -> FloatArray:
        """Every filter gives back to the pixels that it saw."""
        if self.activation != "linear":
            gradient = activations.backward(self.activation, self._sums(x), gradient)
        back = gradient.reshape(-1, gradient.shape[-1]) @ self._weights.T
        seen = back.reshape(*gradient.shape[:-1], self.window.size[0] * self.window.size[1], -1)
        wide, corner = self.window.padded(np.zeros_like(x), value=0)
        wide = wide.copy()
        views = self.window.views(wide, self.window.count(x.shape[1:3]))
        for place, (_, view) in enumerate(views):
            view += seen[..., place, :]
        return _cut(wide, corner, x.shape)

    def multiplications(self, shape: tuple[int, ...]) -> int:
        """Each filter at each place."""
        return shape[0] * shape[1] * self.kernel.size

    def _sums(self, x: FloatArray) -> FloatArray:
        """One product of matrices, which is several times as fast as one for each place."""
        wide, _ = self.window.padded(x, value=0)
        rows, columns = self.window.count(x.shape[1:3])
        views = [view for _, view in self.window.views(wide, (rows, columns))]
        seen = np.concatenate(views, axis=-1).reshape(-1, len(self._weights))
        return (seen @ self._weights + self.bias).reshape(len(x), rows, columns, -1)

    @property
    def _weights(self) -> FloatArray:
        """(n_places * n_channels, n_filters)."""
        return self.kernel.reshape(-1, self.kernel.shape[-1])


@dataclass(frozen=True)
class DepthwiseConv2D:
    """Filters that slide over each channel by itself."""

    kernel: FloatArray  # (height, width, n_channels, filters of each)
    bias: FloatArray  # (n_channels * filters of each,)
    activation: str
    window: Window

    def forward(self, x: FloatArray) -> FloatArray:
        """(n, height, width, channels) -> (n, rows, columns, n_channels * filters of each)."""
        return activations.forward(self.activation, self._sums(x))

    def backward(self, x: FloatArray, gradient: FloatArray) -> FloatArray:
        """Every filter gives back to the pixels of its channel."""
        gradient = activations.backward(self.activation, self._sums(x), gradient)
        by_channel = gradient.reshape(*gradient.shape[:-1], *self.kernel.shape[2:])
        wide, corner = self.window.padded(np.zeros_like(x), value=0)
        wide = wide.copy()
        for place, view in self.window.views(wide, self.window.count(x.shape[1:3])):
            view += (by_channel * self.kernel[place]).sum(axis=-1)
        return _cut(wide, corner, x.shape)

    def multiplications(self, shape: tuple[int, ...]) -> int:
        """Each filter at each place."""
        return shape[0] * shape[1] * self.kernel.size

    def _sums(self, x: FloatArray) -> FloatArray:
        wide, _ = self.window.padded(x, value=0)
        views = self.window.views(wide, self.window.count(x.shape[1:3]))
        sums = sum(view[..., None] * self.kernel[place] for place, view in views)
        return np.reshape(sums, (*np.shape(sums)[:3], -1)) + self.bias


@dataclass(frozen=True)
class SeparableConv2D:
    """Filters on each channel by itself, then mixtures of the channels of each pixel."""

    filters: DepthwiseConv2D  # without bias or activation function
    mixtures: Conv2D  # of 1x1

    def forward(self, x: FloatArray) -> FloatArray:
        """(n, height, width, channels) -> (n, rows, columns, n_mixtures)."""
        return self.mixtures.forward(self.filters.forward(x))

    def backward(self, x: FloatArray, gradient: FloatArray) -> FloatArray:
        """Through the mixtures, then through the filters."""
        return self.filters.backward(x, self.mixtures.backward(self.filters.forward(x), gradient))

    def multiplications(self, shape: tuple[int, ...]) -> int:
        """Those of both."""
        return self.filters.multiplications(shape) + self.mixtures.multiplications(shape)


@dataclass(frozen=True)
class MaxPooling(Unchanged):
    """The largest value of each window."""

    window: Window

    def forward(self, x: FloatArray) -> FloatArray:
        """(n, height, width, channels) -> (n, rows, columns, channels)."""
        wide, _ = self.window.padded(x, value=-np.inf)
        views = self.window.views(wide, self.window.count(x.shape[1:3]))
        largest: FloatArray = np.maximum.reduce([view for _, view in views])
        return largest

    def backward(self, x: FloatArray, gradient: FloatArray) -> FloatArray:
        """To the first of the largest."""
        wide, corner = self.window.padded(x, value=-np.inf)
        counts = self.window.count(x.shape[1:3])
        largest, taken = self.forward(x), np.zeros(gradient.shape, np.bool_)
        back = np.zeros_like(wide)
        places = zip(self.window.views(wide, counts), self.window.views(back, counts), strict=True)
        for (_, values), (_, target) in places:
            chosen = (values == largest) & ~taken
            taken |= chosen
            target += gradient * chosen
        return _cut(back, corner, x.shape)


@dataclass(frozen=True)
class AveragePooling(Unchanged):
    """The mean of each window, of the part inside of the picture."""

    window: Window

    def forward(self, x: FloatArray) -> FloatArray:
        """(n, height, width, channels) -> (n, rows, columns, channels)."""
        wide, _ = self.window.padded(x, value=0)
        total: FloatArray = sum(view for _, view in self._views(wide, x)) / self._sizes(x)
        return total

    def backward(self, x: FloatArray, gradient: FloatArray) -> FloatArray:
        """The same to each pixel of a window."""
        wide, corner = self.window.padded(np.zeros_like(x), value=0)
        wide = wide.copy()
        for _, view in self._views(wide, x):
            view += gradient / self._sizes(x)
        return _cut(wide, corner, x.shape)

    def _views(self, wide: FloatArray, x: FloatArray) -> Iterator[tuple[Pair, FloatArray]]:
        return self.window.views(wide, self.window.count(x.shape[1:3]))

    def _sizes(self, x: FloatArray) -> FloatArray:
        """Pixels of the picture in each window, (1, rows, columns, 1)."""
        ones, _ = self.window.padded(np.ones((1, *x.shape[1:3], 1), np.float32), value=0)
        sizes: FloatArray = np.sum([view for _, view in self._views(ones, x)], axis=0)
        return sizes


def _cut(wide: FloatArray, corner: Pair, shape: tuple[int, ...]) -> FloatArray:
    """The picture without its border."""
    top, left = corner
    return wide[:, top : top + shape[1], left : left + shape[2]]


def _window(settings: Settings, size: str) -> Window:
    expect(settings, data_format="channels_last")
    return Window(tuple(settings[size]), tuple(settings["strides"]), settings["padding"] == "same")


def _conv2d(settings: Settings, weights: Weights) -> Layer:
    expect(settings, groups=1, dilation_rate=[1, 1])
    window = _window(settings, "kernel_size")
    return Conv2D(*kernel_and_bias(weights), function_of(settings), window)


def _depthwise_conv2d(settings: Settings, weights: Weights) -> Layer:
    expect(settings, dilation_rate=[1, 1])
    kernel, *bias = weights
    zeros = np.zeros(kernel.shape[2] * kernel.shape[3], np.float32)
    window = _window(settings, "kernel_size")
    return DepthwiseConv2D(kernel, bias[0] if bias else zeros, function_of(settings), window)


def _separable_conv2d(settings: Settings, weights: Weights) -> Layer:
    expect(settings, dilation_rate=[1, 1])
    depthwise, *pointwise = weights
    kernel, bias = kernel_and_bias(pointwise)
    zeros = np.zeros(depthwise.shape[2] * depthwise.shape[3], np.float32)
    filters = DepthwiseConv2D(depthwise, zeros, "linear", _window(settings, "kernel_size"))
    each_pixel = Window((1, 1), (1, 1), same=False)
    return SeparableConv2D(filters, Conv2D(kernel, bias, function_of(settings), each_pixel))


KINDS: Mapping[str, Callable[[Settings, Weights], Layer]] = {
    "AveragePooling2D": lambda settings, _: AveragePooling(_window(settings, "pool_size")),
    "Conv2D": _conv2d,
    "DepthwiseConv2D": _depthwise_conv2d,
    "MaxPooling2D": lambda settings, _: MaxPooling(_window(settings, "pool_size")),
    "SeparableConv2D": _separable_conv2d,
}
"""Keras class -> what makes the layer from the class's settings and its weights."""
