"""Strokes brought to full strength, however faint the ink was."""

import numpy as np

from apple_clf.arrays import UInt8Array

FULL = 255


def spread_levels(drawing: UInt8Array) -> UInt8Array:
    """A drawing whose strokes have full strength.

    Levels are multiplied so that the upper quartile of the strokes, which are all pixels above a
    quarter of the strongest, becomes 255.

    Args:
        drawing: light on black, uint8, any shape.

    Returns:
        uint8 of the same shape.
    """
    counts = np.bincount(drawing.ravel(), minlength=FULL + 1)
    (levels,) = np.nonzero(counts)
    peak = int(levels[-1])
    counts[: peak // 4 + 1] = 0
    reached = np.cumsum(counts)
    quartile = int(np.searchsorted(reached, 3 * int(reached[-1]) / 4))
    if quartile in (0, FULL):
        return drawing
    table = np.minimum(np.arange(FULL + 1) * FULL // quartile, FULL).astype(np.uint8)
    return table[drawing]
