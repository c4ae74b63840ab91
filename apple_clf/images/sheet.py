"""Where the sheet of paper is, in a photo that shows a table, too."""

import numpy as np
from PIL import Image

from apple_clf.arrays import BoolArray, UInt8Array
from apple_clf.images.regions import closed, darkest, find_regions, lightest

COARSE = 96
"""Pixels of the longer side that a sheet is looked for in."""

INK = 3
"""Of those pixels, odd: what is narrower and dark is ink on the paper."""

PATTERN = 9
"""Of those pixels, odd: what is narrower and bright belongs to the pattern of a table."""

LEAST_SHARE = 0.12
"""Of the picture that a sheet covers, or it is not a sheet to draw on."""

STEP = 0.85
"""From paper to table, within four pixels, light falls to this share of itself or below. Soft
shadows take longer to fall."""

MARGIN = 3
"""Pixels that the picture's border is moved outwards, so that paper reaching it has no edge."""

PAPER_BORDER = 0.95
"""Of the picture's border, paper may take up so much; with more of it there is no table to see."""

DIRECTIONS = 64


def find_sheet(page: UInt8Array) -> BoolArray | None:
    """The inside of the sheet of paper, or None where all of the picture may be paper.

    Paper is the largest bright region, filled up to its convex hull, if light falls off steeply
    from it to what is around.

    Args:
        page: dark ink on light paper, uint8, (height, width).

    Returns:
        bool, (height, width), a little smaller than the sheet.
    """
    scale = min(1, COARSE / max(page.shape))
    size = [max(1, round(side * scale)) for side in page.shape]
    coarse = np.asarray(Image.fromarray(page).resize(size[::-1], Image.Resampling.BOX))
    coarse = closed(coarse, INK)
    coarse = lightest(darkest(coarse, PATTERN), PATTERN)
    coarse = np.pad(coarse, MARGIN, mode="edge")
    bright = coarse > _otsu(coarse)
    regions = find_regions(bright)
    if not regions.n:
        return None
    largest = regions.mask(np.arange(regions.n) == np.argmax(regions.areas))
    border = np.concatenate((largest[0], largest[-1], largest[:, 0], largest[:, -1]))
    if largest.mean() < LEAST_SHARE or border.mean() > PAPER_BORDER:
        return None
    if not _has_edge(coarse, largest):
        return None
    inside = _hull(largest)[MARGIN:-MARGIN, MARGIN:-MARGIN]
    height, width = page.shape
    return np.asarray(Image.fromarray(inside).resize((width, height), Image.Resampling.NEAREST))


def _otsu(pixels: UInt8Array) -> int:
    """The level that parts pixels into two groups as different as possible.

    Source: Otsu 1979, doi:10.1109/TSMC.1979.4310076.
    """
    counts = np.bincount(pixels.ravel(), minlength=256).astype(np.float64)
    below = np.cumsum(counts)
    sums = np.cumsum(counts * np.arange(256))
    above = below[-1] - below
    usable = (below > 0) & (above > 0)
    means = np.divide(sums, below, where=usable, out=np.zeros(256))
    means_above = np.divide(sums[-1] - sums, above, where=usable, out=np.zeros(256))
    return int(np.argmax(below * above * (means - means_above) ** 2))


def _has_edge(coarse: UInt8Array, sheet: BoolArray) -> bool:
    """Whether light falls off steeply all along the edge of a region."""
    pixels = sheet.view(np.uint8)
    outside = lightest(pixels, 5) > lightest(pixels, 3)  # two pixels from the edge
    if outside.sum() < len(sheet) // 2:
        return False
    lit = lightest(np.where(sheet, coarse, 0).astype(np.uint8), 7)[outside].astype(np.float64)
    return float(np.median(coarse[outside] / np.maximum(lit, 1))) < STEP


def _hull(region: BoolArray) -> BoolArray:
    """The convex hull of a region, less 1.5 pixels along its edge."""
    ys, xs = np.nonzero(region)
    rows, columns = np.mgrid[: region.shape[0], : region.shape[1]]
    inside = np.ones(region.shape, np.bool_)
    for angle in np.arange(DIRECTIONS) * 2 * np.pi / DIRECTIONS:
        dy, dx = np.sin(angle), np.cos(angle)
        inside &= rows * dy + columns * dx <= (ys * dy + xs * dx).max() - 1.5
    return inside
