"""Layers in NumPy: what each makes of its input, and the gradient back to that input.

Only what an experiment can name is here. All arrays are batches, float32, (n, ...); weights are
constants, so no gradient goes to them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from apple_clf.arrays import FloatArray
from apple_clf.explanation.numpy_backend import activations

Pair = tuple[int, int]


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
