"""Ruled and squared paper -> the ink without its long straight lines."""

from typing import NamedTuple

import numpy as np

from apple_clf.arrays import BoolArray, IntArray, UInt8Array
from apple_clf.images.ink import WIDEST_LINE, quantile
from apple_clf.images.regions import dilated, eroded

SLOPES = np.arange(-14, 15) / 100
"""Of ruled lines: up to 8 degrees from level."""

LINE_COVER = 0.5
"""A ruled line has ink along this share of its way over the page."""

MANY, MANY_COVER = 6, 0.3
"""Of so many lines, each may be in worse shape and end anywhere."""

REACH = 0.03
"""Of its way over the page: fewer lines each come as near to the paper's border. What ends before
is a straight edge of the drawing."""

THICKEST, THICKEST_PART = 4, 120
"""Pixels of a line's height, or a part of the page's if that is more. Smoothing against grain makes
four of two."""

SAMPLED = 3
"""Of so many columns, one is looked at to find candidates for lines."""

CLEARER = 1.7
"""Times as dark as the rulings, ink is told from them by its level alone."""


def without_rulings(
    ink: UInt8Array, threshold: int, sheet: BoolArray | None
) -> tuple[BoolArray, int]:
    """Where there is ink that is not a long straight line, and how many such lines there were."""
    mask = ink >= threshold
    rest, n_lines = _without_any_lines(mask, sheet)
    if not n_lines:
        return rest, 0
    lines = _upper_quartile(ink[mask & ~rest])
    strokes = rest & (ink > lines)
    if sheet is not None:
        strokes &= sheet
    if np.count_nonzero(strokes) > 2 * max(mask.shape) // WIDEST_LINE:
        level = _upper_quartile(ink[strokes])
        if level > CLEARER * lines:  # then the ink alone tells them apart, without a gap
            rest, _ = _without_any_lines(ink > (lines + level) // 2, sheet)  # but for a margin's
    return rest, n_lines


def _without_any_lines(mask: BoolArray, sheet: BoolArray | None) -> tuple[BoolArray, int]:
    """A mask without the lines across it and down, and how many they were."""
    rest, n_across = _without_lines(mask, sheet)
    turned, n_down = _without_lines(rest.T, None if sheet is None else sheet.T)
    return turned.T, n_across + n_down


def _upper_quartile(levels: UInt8Array) -> int:
    return quantile(np.bincount(levels.ravel(), minlength=256), 0.75)


class _Line(NamedTuple):
    """What may be a ruled line that runs about level."""

    rows: IntArray  # (thickest, width) of the mask, a column for each of its columns
    cover: float  # share of the way over the paper that has ink
    fresh: float  # as cover, of ink that no better line has
    reaches_border: bool  # of the paper, on the left or the right


def _without_lines(mask: BoolArray, sheet: BoolArray | None) -> tuple[BoolArray, int]:
    """As `without_rulings`, for lines that run about level."""
    height, width = mask.shape
    thickest = max(THICKEST, round(height / THICKEST_PART))
    flat = mask & ~_tall(mask, thickest + 1)
    lines = _lines(flat, *_paper_columns(sheet, width), thickest=thickest)
    needed = MANY_COVER
    if sum(line.fresh >= needed for line in lines) < MANY:
        needed = LINE_COVER
        lines = [line for line in lines if line.cover >= needed and line.reaches_border]
    gone = np.zeros_like(flat)
    for line in lines:
        gone[line.rows, np.arange(width)] = True
    return mask & ~(gone & flat), sum(line.fresh >= needed for line in lines)


def _lines(flat: BoolArray, left: int, right: int, *, thickest: int) -> list[_Line]:
    """Lines with ink along MANY_COVER of their way, the best first.

    Args:
        flat: ink that is no higher than a line.
        left: first column of the paper.
        right: the one after its last.
        thickest: height of a line in pixels.
    """
    height, width = flat.shape
    columns = np.arange(width)
    way = max(1, right - left)
    met = np.zeros_like(flat)
    lines = []
    for slope, offset in _line_candidates(flat, MANY_COVER * way, apart=thickest + 1):
        middle = np.rint(offset + slope * (columns - width / 2)).astype(np.int64)
        rows = middle + np.arange(-(thickest // 2), thickest // 2 + 1)[:, None]
        rows = np.clip(rows, 0, height - 1)
        ink = flat[rows, columns]
        (inked,) = np.nonzero(ink.any(axis=0))
        if len(inked) < MANY_COVER * way:
            continue
        fresh = float(np.count_nonzero((ink & ~met[rows, columns]).any(axis=0)) / way)
        if fresh >= MANY_COVER:
            met[rows, columns] = True
        short = min(inked[0] - left, right - 1 - inked[-1])
        lines.append(_Line(rows, len(inked) / way, fresh, bool(short < REACH * way)))
    return lines


def _tall(mask: BoolArray, length: int) -> BoolArray:
    """Where the ink above and below a pixel is so many pixels long."""
    pixels = np.pad(mask.view(np.uint8), ((length, length), (0, 0)))
    return dilated(eroded(pixels, length), length)[length:-length].view(np.bool_)


def _paper_columns(sheet: BoolArray | None, width: int) -> tuple[int, int]:
    """The first column that the paper takes up, and the one after the last."""
    if sheet is None:
        return 0, width
    (columns,) = np.nonzero(sheet.any(axis=0))
    return (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, 0)


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
