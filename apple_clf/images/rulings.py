"""Ruled and squared paper -> the ink without its long straight lines."""

import numpy as np

from apple_clf.arrays import BoolArray, UInt8Array
from apple_clf.images.ink import WIDEST_LINE, quantile
from apple_clf.images.regions import dilated, eroded

SLOPES = np.arange(-14, 15) / 100
"""Of ruled lines: up to 8 degrees from level."""

LINE_COVER = 0.5
"""A ruled line has ink along this share of its way over the page."""

MANY, MANY_COVER = 6, 0.3
"""Of so many lines, each may be in worse shape."""

SAMPLED = 3
"""Of so many columns, one is looked at to find candidates for lines."""

CLEARER = 1.7
"""Times as dark as the rulings, ink is told from them by its level alone."""


def without_rulings(
    ink: UInt8Array, threshold: int, sheet: BoolArray | None
) -> tuple[BoolArray, int]:
    """Where there is ink that is no long straight line, and how many such lines there were."""
    mask = ink >= threshold
    rest, n_across = _without_lines(mask, sheet)
    turned, n_down = _without_lines(rest.T, None if sheet is None else sheet.T)
    rest = turned.T
    if n_across + n_down:
        lines = _upper_quartile(ink[mask & ~rest])
        strokes = ink[rest & (ink > lines)]
        if len(strokes) > 2 * max(mask.shape) // WIDEST_LINE:
            level = _upper_quartile(strokes)
            if level > CLEARER * lines:  # then the ink alone tells them apart, without a gap
                return ink > (lines + level) // 2, n_across + n_down
    return rest, n_across + n_down


def _upper_quartile(levels: UInt8Array) -> int:
    return quantile(np.bincount(levels.ravel(), minlength=256), 0.75)


def _without_lines(mask: BoolArray, sheet: BoolArray | None) -> tuple[BoolArray, int]:
    """As `_without_rulings`, for lines that run about level."""
    height, width = mask.shape
    thickest = max(4, round(height / 120))
    flat = mask & ~_tall(mask, thickest + 1)
    span = _span(sheet, width)
    columns = np.arange(width)
    lines = []
    for slope, offset in _line_candidates(flat, MANY_COVER * span, apart=thickest + 1):
        rows = np.rint(offset + slope * (columns - width / 2)).astype(np.int64)
        band = rows + np.arange(-(thickest // 2), thickest // 2 + 1)[:, None]
        band = np.clip(band, 0, height - 1)  # (thickest, width)
        lines.append((flat[band, columns].any(axis=0).sum() / span, band))
    n_many = sum(cover >= MANY_COVER for cover, _ in lines)
    needed = MANY_COVER if n_many >= MANY else LINE_COVER
    gone = np.zeros_like(flat)
    n = 0
    for cover, band in lines:
        if cover >= needed:
            fresh = flat[band, columns] & ~gone[band, columns]
            n += fresh.any(axis=0).sum() >= needed * span  # or it is a line met before, aslant
            gone[band, columns] = True
    return mask & ~(gone & flat), int(n)


def _tall(mask: BoolArray, length: int) -> BoolArray:
    """Where the ink above and below a pixel is so many pixels long."""
    pixels = np.pad(mask.view(np.uint8), ((length, length), (0, 0)))
    return dilated(eroded(pixels, length), length)[length:-length].view(np.bool_)


def _span(sheet: BoolArray | None, width: int) -> int:
    """Columns that the paper takes up."""
    return width if sheet is None else int(np.count_nonzero(sheet.any(axis=0)))


def _line_candidates(flat: BoolArray, needed: float, *, apart: int) -> list[tuple[float, int]]:
    """Slope, and row in the middle, of lines that may have ink along enough of their way.

    Source: Hough transform, Duda and Hart 1972, doi:10.1145/361237.361242, for nearly level lines,
        on every third column.
    """
    height, width = flat.shape
    ys, xs = np.nonzero(flat[:, ::SAMPLED])
    xs = SAMPLED * xs - width / 2
    pad = int(-SLOPES[0] * width / 2) + 2
    best, slopes = np.zeros(height + 2 * pad, np.int64), np.zeros(height + 2 * pad)
    if SAMPLED * len(ys) < needed:
        return []
    for slope in SLOPES:
        rows = np.rint(ys - slope * xs).astype(np.int64) + pad
        counts = np.bincount(rows, minlength=len(best))
        near = counts.copy()  # a line is up to three pixels high
        near[1:] += counts[:-1]
        near[:-1] += counts[1:]
        better = near > best
        best[better], slopes[better] = near[better], slope
    lines = []
    candidates = np.flatnonzero(SAMPLED * best >= needed)
    while len(candidates):
        at = candidates[np.argmax(best[candidates])]
        lines.append((float(slopes[at]), int(at) - pad))
        candidates = candidates[np.abs(candidates - at) > apart]
    return lines
