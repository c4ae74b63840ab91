"""Activation functions in NumPy, as Keras computes them, and gradients back through them."""

from collections.abc import Callable, Mapping

import numpy as np

from apple_clf.arrays import FloatArray

Function = Callable[[FloatArray], FloatArray]

STEP = 1e-4  # of the difference quotient; its error is a millionth of that


def forward(name: str, z: FloatArray) -> FloatArray:
    """What an activation function makes of weighted sums, of the same shape and type.

    Args:
        name: one of `NAMES`.
        z: (..., n_units); softmax and its kind work along the last axis.
    """
    with np.errstate(over="ignore"):  # an exponential of much is infinite, and handled
        values: FloatArray = _FUNCTIONS[name](z)
    return values.astype(z.dtype, copy=False)


def backward(name: str, z: FloatArray, gradient: FloatArray) -> FloatArray:
    """The gradient by the weighted sums, from the gradient by the function's values.

    Functions of one number are differentiated by a central difference in double precision, which
    needs no second table of formulas and is exact but for the bend of a kink.

    Args:
        name: one of `NAMES`.
        z: weighted sums, (..., n_units).
        gradient: of the same shape.
    """
    if name == "linear":
        return gradient
    if name == "relu":
        return gradient * (z > 0)
    if name in _ALONG_AXIS:
        return _ALONG_AXIS[name](z, gradient)
    exact = z.astype(np.float64)
    with np.errstate(over="ignore"):
        slope = (_FUNCTIONS[name](exact + STEP) - _FUNCTIONS[name](exact - STEP)) / (2 * STEP)
    return gradient * slope.astype(z.dtype)


def _sigmoid(z: FloatArray) -> FloatArray:
    return 1 / (1 + np.exp(-z))


def _softplus(z: FloatArray) -> FloatArray:
    return np.logaddexp(z, 0)


def _below_zero(z: FloatArray) -> FloatArray:
    """exp(z) - 1 where z < 0, else 0."""
    return np.expm1(np.minimum(z, 0))


def _hard_sigmoid(z: FloatArray) -> FloatArray:
    return np.clip(z / 6 + 0.5, 0, 1)


def _gelu(z: FloatArray) -> FloatArray:
    return z * (1 + _erf(z / np.sqrt(2))) / 2


def _erf(x: FloatArray) -> FloatArray:
    """The error function to 1.5e-7.

    Source: Abramowitz and Stegun 1964, formula 7.1.26.
    """
    t = 1 / (1 + 0.3275911 * np.abs(x))
    factors = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
    total = np.zeros_like(t)
    for factor in factors:
        total = (total + factor) * t
    values: FloatArray = np.copysign(1 - total * np.exp(-x * x), x)
    return values


def _softmax(z: FloatArray) -> FloatArray:
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    shares: FloatArray = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def _log_softmax(z: FloatArray) -> FloatArray:
    shifted = z - z.max(axis=-1, keepdims=True)
    values: FloatArray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return values


def _sparsemax(z: FloatArray) -> FloatArray:
    """What Keras 3.15 calls sparsemax: it lowers all values by a threshold, and cuts at 0.

    Its threshold comes of the sum of cumulative sums, where Martins and Astudillo 2016
    (arXiv:1602.02068, algorithm 1) take the last of them. A network that was trained with it is
    explained with it.
    """
    threshold, _ = _threshold(z)
    return np.maximum(z - threshold, 0)


def _threshold(z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The threshold, (..., 1), and how it grows with each value, of the shape of z."""
    order = np.argsort(-z, axis=-1, kind="stable")
    ordered = np.take_along_axis(z, order, axis=-1)
    sums, ranks = ordered.cumsum(axis=-1), np.arange(1, z.shape[-1] + 1)
    support = ordered - (sums - 1) / ranks > 0
    n = support.sum(axis=-1, keepdims=True)
    threshold = ((sums * support).sum(axis=-1, keepdims=True) - 1) / n
    slope = np.empty_like(z)
    np.put_along_axis(slope, order, (support * (n - ranks + 1) / n).astype(z.dtype), axis=-1)
    return threshold, slope


def _softmax_back(z: FloatArray, gradient: FloatArray) -> FloatArray:
    shares = _softmax(z)
    back: FloatArray = shares * (gradient - (gradient * shares).sum(axis=-1, keepdims=True))
    return back


def _log_softmax_back(z: FloatArray, gradient: FloatArray) -> FloatArray:
    back: FloatArray = gradient - _softmax(z) * gradient.sum(axis=-1, keepdims=True)
    return back


def _sparsemax_back(z: FloatArray, gradient: FloatArray) -> FloatArray:
    threshold, slope = _threshold(z)
    active = gradient * (z > threshold)
    back: FloatArray = active - slope * active.sum(axis=-1, keepdims=True)
    return back


_ALONG_AXIS: Mapping[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "softmax": _softmax_back,
    "log_softmax": _log_softmax_back,
    "sparsemax": _sparsemax_back,
}

_FUNCTIONS: Mapping[str, Function] = {
    "celu": lambda z: np.maximum(z, 0) + _below_zero(z),
    "elu": lambda z: np.maximum(z, 0) + _below_zero(z),
    "exponential": np.exp,
    "gelu": _gelu,
    "hard_shrink": lambda z: np.where(np.abs(z) > 0.5, z, 0),
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": lambda z: z * _hard_sigmoid(z),
    "hard_swish": lambda z: z * _hard_sigmoid(z),
    "hard_tanh": lambda z: np.clip(z, -1, 1),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.2 * z),
    "linear": lambda z: z,
    "log_sigmoid": lambda z: -_softplus(-z),
    "log_softmax": _log_softmax,
    "mish": lambda z: z * np.tanh(_softplus(z)),
    "relu": lambda z: np.maximum(z, 0),
    "relu6": lambda z: np.clip(z, 0, 6),
    # Klambauer et al. 2017, arXiv:1706.02515, equation 2
    "selu": lambda z: 1.0507009873554805 * (np.maximum(z, 0) + 1.6732632423543772 * _below_zero(z)),
    "sigmoid": _sigmoid,
    "silu": lambda z: z * _sigmoid(z),
    "soft_shrink": lambda z: np.sign(z) * np.maximum(np.abs(z) - 0.5, 0),
    "softmax": _softmax,
    "softplus": _softplus,
    "softsign": lambda z: z / (1 + np.abs(z)),
    "sparse_plus": lambda z: np.where(np.abs(z) < 1, (z + 1) ** 2 / 4, np.maximum(z, 0)),
    "sparse_sigmoid": lambda z: np.clip((z + 1) / 2, 0, 1),
    "sparsemax": _sparsemax,
    "squareplus": lambda z: (z + np.sqrt(z * z + 4)) / 2,
    "swish": lambda z: z * _sigmoid(z),
    "tanh": np.tanh,
    "tanh_shrink": lambda z: z - np.tanh(z),
}

NAMES = frozenset(_FUNCTIONS)
