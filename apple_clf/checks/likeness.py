"""How alike the pictures of a pair are: as a whole, and window by window."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apple_clf.arrays import BoolArray, FloatArray, IntArray, UInt8Array

WINDOW = 8  # pixels a side, or as many as a smaller picture has
WORST = 0.05  # share of the windows that may differ
SEEN = 4.0  # gray levels; a window that varies less, in both pictures, shows nothing
CHUNK = 4096


@dataclass(frozen=True)
class Likeness:
    """How alike the pictures of pairs are, each pair in its best position."""

    distances: FloatArray  # (k,), 1 - correlation of all pixels
    structures: FloatArray  # (k,), -1 to 1, as from `structure`; NaN beyond `far`
    mirrored: BoolArray  # (k,), whether one looks more like the other's mirror image


def compare(pictures: UInt8Array, pairs: IntArray, *, far: float) -> Likeness:
    """Likeness of pairs over mirroring and moves by a pixel.

    Args:
        pictures: gray, uint8, (n, height, width), 3 or more pixels a side.
        pairs: indices, (k, 2).
        far: distance above which pairs are not looked at any closer.
    """
    distances = np.empty(len(pairs), np.float32)
    structures = np.full(len(pairs), np.nan, np.float32)
    mirrored = np.empty(len(pairs), np.bool_)
    for start in range(0, len(pairs), CHUNK):
        one, other = (pictures[column] for column in pairs[start : start + CHUNK].T)
        windows = _positions(other)
        middle = one[:, 1:-1, 1:-1]
        n = len(one)
        flat = standardised(middle)
        correlations = np.stack(
            [np.einsum("np,np->n", flat, standardised(window)) for window in windows]
        )
        best = correlations.argmax(axis=0)
        chunk = slice(start, start + n)
        distances[chunk] = 1 - correlations[best, np.arange(n)]
        mirrored[chunk] = best >= len(windows) // 2
        for i in np.flatnonzero(distances[chunk] <= far).tolist():
            structures[start + i] = structure(middle[i], windows[best[i]][i])
    return Likeness(np.maximum(distances, 0), structures, mirrored)


def structure(one: UInt8Array, other: UInt8Array) -> float:
    """Likeness of all but the worst twentieth of the windows that show something, -1 to 1.

    However strong a frame that two pictures share, and whatever its pattern, what they show must
    be alike too. Brightness and contrast of a whole picture do not count. It is 0 if no window
    shows anything.

    Args:
        one: gray, uint8, (height, width).
        other: of the same shape.

    Source: the product of the contrast and structure terms of SSIM, without constants: Wang,
        Bovik, Sheikh and Simoncelli 2004, IEEE Transactions on Image Processing 13, eq. 9 and 10.
    """
    x, y = one.astype(np.float64), other.astype(np.float64)
    contrast = max(x.std(), y.std())
    x, y = (pixels * contrast / max(pixels.std(), 1e-3) for pixels in (x, y))
    mean_x, mean_y = _window_means(x), _window_means(y)
    variances = _window_means(x * x) - mean_x**2, _window_means(y * y) - mean_y**2
    covariance = _window_means(x * y) - mean_x * mean_y
    shows = np.maximum(*variances) > SEEN**2
    if not shows.any():
        return 0.0
    likeness = 2 * covariance[shows] / (variances[0] + variances[1])[shows]
    return float(np.quantile(likeness, WORST))


def standardised(pictures: UInt8Array) -> NDArray[np.float32]:
    """Pictures less their mean, of length 1; a flat one is all 0, (n, n_pixels)."""
    pixels = pictures.reshape(len(pictures), -1)
    centred = pixels - pixels.mean(axis=1, keepdims=True, dtype=np.float32)
    lengths = np.sqrt(np.einsum("np,np->n", centred, centred))
    result: NDArray[np.float32] = centred / np.maximum(lengths, 1e-3)[:, None]
    return result


def _positions(pictures: UInt8Array) -> list[UInt8Array]:
    """Pictures without a pixel at each side, in all nine positions, then mirrored."""
    height, width = pictures.shape[1:]
    return [
        view[:, y : y + height - 2, x : x + width - 2]
        for view in (pictures, pictures[:, :, ::-1])
        for y in range(3)
        for x in range(3)
    ]


def _window_means(pixels: FloatArray) -> FloatArray:
    """Mean of each window, at every position, (height - WINDOW + 1, width - WINDOW + 1)."""
    sums = np.cumsum(np.cumsum(np.pad(pixels, ((1, 0), (1, 0))), axis=0), axis=1)
    k = min(WINDOW, *pixels.shape)
    means: FloatArray = (sums[k:, k:] - sums[:-k, k:] - sums[k:, :-k] + sums[:-k, :-k]) / k**2
    return means
