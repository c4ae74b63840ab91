"""Connected regions of a mask, and masks grown and shrunk, in NumPy alone.

scipy.ndimage and OpenCV do the same; either would double the size of an installation that predicts
(docs/decisions.md), and prediction would wait for their import.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from apple_clf.arrays import BoolArray, IntArray, UInt8Array


@dataclass(frozen=True)
class Regions:
    """The 8-connected regions of a mask, as runs of neighbouring pixels in a row."""

    shape: tuple[int, int]
    rows: IntArray  # of each run, (n_runs,), ascending
    starts: IntArray  # its first column, (n_runs,)
    ends: IntArray  # the column after its last, (n_runs,)
    labels: IntArray  # the region it belongs to, from 0, (n_runs,)
    n: int  # regions

    @cached_property
    def areas(self) -> IntArray:
        """Pixels of each region, int64, (n,)."""
        return np.bincount(self.labels, self.ends - self.starts, minlength=self.n).astype(np.int64)

    @cached_property
    def boxes(self) -> IntArray:
        """Top, left, bottom and right of each region, the last two exclusive, int64, (n, 4)."""
        boxes = np.empty((self.n, 4), np.int64)
        boxes[:, :2] = max(self.shape)
        boxes[:, 2:] = 0
        np.minimum.at(boxes[:, 0], self.labels, self.rows)
        np.minimum.at(boxes[:, 1], self.labels, self.starts)
        np.maximum.at(boxes[:, 2], self.labels, self.rows + 1)
        np.maximum.at(boxes[:, 3], self.labels, self.ends)
        return boxes

    def mask(self, chosen: BoolArray) -> BoolArray:
        """The pixels of some regions, bool, of the mask's shape.

        Args:
            chosen: whether each region is wanted, (n,).
        """
        height, width = self.shape
        wanted = chosen[self.labels]
        # +1 where a run starts and -1 where it ends: the running sum is 1 inside.
        steps = np.zeros(height * (width + 1), np.int8)
        places = self.rows[wanted] * (width + 1)
        steps[places + self.starts[wanted]] = 1
        steps[places + self.ends[wanted]] = -1  # runs of a row are apart, so none starts here
        filled = np.cumsum(steps, dtype=np.int8).view(np.bool_)
        return filled.reshape(height, width + 1)[:, :width]

    def touch(self, mask: BoolArray) -> BoolArray:
        """Whether each region has a pixel in a mask of the same shape, bool, (n,)."""
        return self.pixels_in(mask) > 0

    def pixels_in(self, mask: BoolArray) -> IntArray:
        """Pixels that each region has in a mask of the same shape, int64, (n,)."""
        sums = np.zeros((mask.shape[0], mask.shape[1] + 1), np.int32)
        np.cumsum(mask, axis=1, out=sums[:, 1:])
        in_runs = sums[self.rows, self.ends] - sums[self.rows, self.starts]
        return np.bincount(self.labels, in_runs, minlength=self.n).astype(np.int64)


def find_regions(mask: BoolArray) -> Regions:
    """The 8-connected regions of a mask.

    Args:
        mask: (height, width).

    Source: run-based labelling, He et al. 2008, doi:10.1109/TIP.2008.919369; regions are merged by
        hooking the roots of trees and halving their paths, on all runs at once.
    """
    height, width = mask.shape
    padded = np.zeros((height, width + 2), np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded, axis=1)
    rows, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    # Runs of the next row that a run touches, a corner being enough.
    first = np.searchsorted(rows * (width + 2) + ends, (rows + 1) * (width + 2) + starts)
    after = np.searchsorted(
        rows * (width + 2) + starts, (rows + 1) * (width + 2) + ends, side="right"
    )
    counts = np.maximum(after - first, 0)
    upper = np.repeat(np.arange(len(rows)), counts)
    lower = np.arange(len(upper)) - np.repeat(np.cumsum(counts) - counts, counts)
    lower += np.repeat(first, counts)
    roots = _connected(len(rows), upper, lower)
    found, labels = np.unique(roots, return_inverse=True)
    return Regions((height, width), rows, starts, ends, labels, len(found))


def _connected(n: int, ones: IntArray, others: IntArray) -> IntArray:
    """The smallest of the nodes that each is connected with, (n,).

    Args:
        n: nodes.
        ones: a node of each edge.
        others: the other one.
    """
    roots = np.arange(n)
    while True:
        a, b = roots[ones], roots[others]
        apart = a != b
        if not apart.any():
            return roots
        np.minimum.at(roots, np.maximum(a, b)[apart], np.minimum(a, b)[apart])
        while not np.array_equal(above := roots[roots], roots):
            roots = above


def lightest(pixels: UInt8Array, width: int) -> UInt8Array:
    """The maximum of a square around each pixel: dilation. The border goes on outside.

    Args:
        pixels: uint8, (height, width).
        width: odd, side of the square in pixels.
    """
    return _square(np.maximum, pixels, width)


def darkest(pixels: UInt8Array, width: int) -> UInt8Array:
    """The minimum of a square around each pixel: erosion. The border goes on outside.

    Args:
        pixels: uint8, (height, width).
        width: odd, side of the square in pixels.
    """
    return _square(np.minimum, pixels, width)


def closed(pixels: UInt8Array, width: int) -> UInt8Array:
    """Pixels in which dark structures narrower than a square have the light around them.

    Args:
        pixels: uint8, (height, width).
        width: odd, side of the square in pixels.
    """
    return darkest(lightest(pixels, width), width)


def eroded(pixels: UInt8Array, length: int) -> UInt8Array:
    """The minimum of so many pixels from each downwards, uint8, (height - length + 1, width)."""
    return _extreme(np.minimum, pixels, length)


def dilated(pixels: UInt8Array, length: int) -> UInt8Array:
    """The maximum of what `eroded` put each pixel into, uint8, (height + length - 1, width)."""
    pixels = np.pad(pixels, ((length - 1, length - 1), (0, 0)))
    return _extreme(np.maximum, pixels, length)


def _square(choose: np.ufunc, pixels: UInt8Array, width: int) -> UInt8Array:
    reach = ((width // 2, width // 2), (0, 0))
    down = _extreme(choose, np.pad(pixels, reach, mode="edge"), width)
    across = np.ascontiguousarray(down.T)
    return _extreme(choose, np.pad(across, reach, mode="edge"), width).T


def _extreme(choose: np.ufunc, pixels: UInt8Array, length: int) -> UInt8Array:
    """The extreme of each `length` rows in a row, in log2(length) passes."""
    have = 1
    while have < length:
        step = min(have, length - have)
        pixels = choose(pixels[: len(pixels) - step], pixels[step:])
        have += step
    return pixels
