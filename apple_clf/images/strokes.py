"""Ink -> the same lines in one width and at full strength, as a network is trained on them."""

import numpy as np
from PIL import Image

from apple_clf.arrays import BoolArray, IntArray, UInt8Array
from apple_clf.images.levels import FULL, spread_levels
from apple_clf.images.regions import closed, darkest, find_regions, lightest

FINE = 4
"""Pixels of the grid that strokes are drawn on, for one of the result."""

DOT_ZOOM = 1.5
"""Times that middle lines are enlarged at most, so that a dot stays a dot."""

LINE = 7
"""Width of a stroke on that grid: 1.75 pixels of the result, as of QuickDraw's 28x28 drawings."""

BRIDGED = 3
"""Gaps on that grid which are closed: narrower than a pixel of the result could show."""

SOLID = 23
"""Width on that grid from which ink is an area, of which the outline is drawn."""

THICK = 15
"""Width on that grid which only the strokes of small drawings have."""

HATCHED, DENSE = 11, 0.4
"""Gaps on that grid which hatching leaves at most, and the share of ink in what is hatched."""

INSIDE = 7
"""Width on that grid of the edge that an area keeps."""


def redraw(
    ink: UInt8Array, size: tuple[int, int], *, threshold: int, line: int = LINE
) -> UInt8Array | None:
    """Ink drawn again: its middle lines in one width, 26/28 of the target large, centred.

    Areas, such as shapes that were coloured in, keep their outline alone.

    Args:
        ink: uint8, (height, width), cropped to the drawing, 0 where there is none.
        size: height and width of the result.
        threshold: ink at this level and above is a stroke.
        line: width of the new strokes, in quarters of a pixel.

    Returns:
        uint8, (height, width), light on dark; None if there is no ink.
    """
    inner = [FINE * ((13 * side + 7) // 14) - (line - 1) for side in size]
    zoom = min(inner[0] / ink.shape[0], inner[1] / ink.shape[1])
    height, width = (max(1, round(side * zoom)) for side in ink.shape)
    fine = np.zeros((FINE * size[0], FINE * size[1]), np.uint8)
    top, left = (fine.shape[0] - height) // 2, (fine.shape[1] - width) // 2
    if zoom < 1:  # or thin lines would become faint
        ink = lightest(ink, 2 * int(0.5 / zoom) + 1)
    scaled = Image.fromarray(ink).resize((width, height), Image.Resampling.BILINEAR)
    fine[top : top + height, left : left + width] = np.asarray(scaled)
    mask = _closed(fine >= threshold, BRIDGED)
    points = np.argwhere(thin(_outlined(mask)))
    if not len(points):
        return None
    drawn = _round_pen(_fitted(points, inner, fine.shape), line)
    small = np.asarray(Image.fromarray(drawn).reduce(FINE))
    return spread_levels(small)


def _closed(mask: BoolArray, width: int) -> BoolArray:
    """A mask with the gaps closed that are narrower than a number of pixels."""
    pixels = np.pad(mask.view(np.uint8), width)  # or strokes would be drawn out to the border
    return closed(pixels, width)[width:-width, width:-width].view(np.bool_)


def _outlined(mask: BoolArray) -> BoolArray:
    """A mask in which areas too wide for a stroke, filled or hatched, are hollow."""
    without_gaps = _closed(mask, HATCHED)
    core = darkest(np.pad(without_gaps, 1).view(np.uint8), SOLID)  # the border counts as an edge
    if not core.any() or _is_thick_pen(mask, without_gaps):
        return mask
    area = lightest(core, SOLID)
    inside = darkest(area, INSIDE)[1:-1, 1:-1].view(np.bool_)
    regions = find_regions(inside)
    is_inked = regions.pixels_in(mask) >= DENSE * regions.areas
    return mask & ~regions.mask(is_inked)


def _is_thick_pen(mask: BoolArray, without_gaps: BoolArray) -> bool:
    """Whether a small drawing was made with a thick pen: most of the ink is wide, around holes.

    Args:
        mask: the ink.
        without_gaps: the same with the gaps of hatching closed; holes of a drawing are wider.
    """
    wide = lightest(darkest(np.pad(mask, 1).view(np.uint8), THICK), THICK)
    n_holes = find_regions(~np.pad(without_gaps, 1)).n - 1
    return bool(n_holes > 0 and 2 * np.count_nonzero(wide) > np.count_nonzero(mask))


def _fitted(points: IntArray, inner: list[int], shape: tuple[int, ...]) -> BoolArray:
    """Points scaled to the box that they may fill, centred on a grid of this shape.

    Args:
        points: row and column of each, (n, 2).
        inner: height and width of the box.
        shape: of the grid.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    extent, middle = np.maximum(high - low, 1), (low + high) / 2
    zoom = min(inner[0] / extent[0], inner[1] / extent[1], DOT_ZOOM)
    places = np.rint((points - middle) * zoom + (np.array(shape) - 1) / 2).astype(np.int64)
    grid = np.zeros(shape, np.bool_)
    grid[tuple(np.clip(places, 0, np.array(shape) - 1).T)] = True
    return grid


def _round_pen(lines: BoolArray, width: int) -> UInt8Array:
    """Lines of one pixel drawn with a round pen, as 0 and 255."""
    low, high = (width - 1) // 2, width // 2  # an even pen reaches farther down and right
    padded = np.pad(lines, (high, low))
    height, across = lines.shape
    drawn = np.zeros(lines.shape, np.bool_)
    for dy in range(width):
        for dx in range(width):
            if (2 * dy - width + 1) ** 2 + (2 * dx - width + 1) ** 2 <= width * width:
                drawn |= padded[dy : dy + height, dx : dx + across]
    return drawn.view(np.uint8) * np.uint8(FULL)


def thin(mask: BoolArray) -> BoolArray:
    """The middle lines of a mask, about one pixel wide, connected as the mask was.

    Args:
        mask: (height, width).

    Source: Guo and Hall 1989, doi:10.1145/62065.62074, algorithm A1.
    """
    padded = np.pad(mask.view(np.uint8), 1)
    flat = padded.reshape(-1)
    width = padded.shape[1]
    around = (-width - 1, -width, -width + 1, 1, width + 1, width, width - 1, -1)
    places = np.flatnonzero(flat)  # of the pixels that are left
    n_before = -1
    while len(places) != n_before:
        n_before = len(places)
        for deletable in _DELETABLE:
            codes = flat[places + around[0]]  # a bit a neighbour, clockwise from the upper left
            for bit, step in enumerate(around[1:], start=1):
                codes |= flat[places + step] << np.uint8(bit)
            goes = deletable[codes]
            flat[places[goes]] = 0
            places = places[~goes]
    return padded[1:-1, 1:-1].view(np.bool_)


def _guo_hall(step: int) -> BoolArray:
    """Which of the 256 neighbourhoods let a pixel go, in one of the two sub-iterations."""
    deletable = np.zeros(256, np.bool_)
    for code in range(256):
        p = [bool(code >> place & 1) for place in range(8)]  # p[0] is the upper left
        crossings = sum(not p[i] and (p[(i + 1) % 8] or p[(i + 2) % 8]) for i in (1, 3, 5, 7))
        pairs = min(
            sum(p[i] or p[(i + 1) % 8] for i in (0, 2, 4, 6)),
            sum(p[i] or p[(i + 1) % 8] for i in (1, 3, 5, 7)),
        )
        if step:
            keeps = (p[1] or p[2] or not p[4]) and p[3]
        else:
            keeps = (p[5] or p[6] or not p[0]) and p[7]
        deletable[code] = crossings == 1 and 2 <= pairs <= 3 and not keeps
    return deletable


_DELETABLE = (_guo_hall(0), _guo_hall(1))
