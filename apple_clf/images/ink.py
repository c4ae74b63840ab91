"""A picture of paper -> how much darker than the paper each pixel is.

Everything is measured against the paper around it, never against black and white: light, shadow
and the tone of the paper cancel out.
"""

import numpy as np
from PIL import Image, ImageFilter

from apple_clf.arrays import BoolArray, IntArray, UInt8Array
from apple_clf.images.preprocessing import Polarity
from apple_clf.images.regions import closed, darkest, find_regions, lightest

WIDEST_LINE = 8
"""A line is narrower than this part of the shorter side; what is wider is an area or a shadow."""

FAINTEST = 14
"""Of 255, darker than the paper: the least that can be ink. Pencil has 60 and more."""

DARK = 100
"""Of 255: so much darker than the paper is no grain; a coloured shape may have half of a page."""

NOISE_FACTOR = 6
"""Ink is above the paper's own grain by so many of its median deviations."""

CALMED = 200
"""Pixels on the shorter side above which grain is smoothed; on smaller pages lines would fade."""

DARKEST_PAPER = 32
"""Of 255: ink on darker paper is measured as on this, or noise in black would be ink."""

DARK_GROUND = 96
"""Luma below which most of a picture is dark: a blackboard, or a screen."""


def strongest_ink(pixels: UInt8Array) -> UInt8Array:
    """Gray in which ink of any colour stands out: the darkest channel, on dark ground the lightest.

    Yellow on white has the blue of black, and the luma of white nearly.
    """
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return pixels.reshape(pixels.shape[:2])
    gray = np.asarray(Image.fromarray(pixels).convert("L"))
    is_dark = int(np.median(gray[::8, ::8])) < DARK_GROUND
    channels = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    choose = np.maximum if is_dark else np.minimum
    return choose(choose(channels[0], channels[1]), channels[2])


def plain_ground(page: UInt8Array) -> int | None:
    """The one level of the border and of most of the page, as on a screen; None if there is none.

    Args:
        page: uint8, (height, width).
    """
    border = np.concatenate((page[0], page[-1], page[:, 0], page[:, -1]))
    ground = int(border[0])
    is_plain = int(np.ptp(border)) <= PLAIN and abs(float(np.median(page)) - ground) <= PLAIN
    return ground if is_plain else None


PLAIN = 2
"""Gray levels that a ground which no camera saw varies by."""


def is_light_ink(page: UInt8Array, polarity: Polarity) -> bool:
    """Whether ink is lighter than its ground.

    Ink is the few that differ much from the ground, so the cubes of the differences sum to less
    than 0 where ink is dark. Where the ground is not plain it is the mean around a pixel: a table's
    edge differs from it as much on both of its sides.
    """
    if polarity in ("light_on_dark", "dark_on_light"):
        return polarity == "light_on_dark"
    ground = plain_ground(page)
    if ground is not None:
        counts = np.bincount(page.ravel(), minlength=256)
        return int(np.sum(counts * (np.arange(256, dtype=np.int64) - ground) ** 3)) > 0
    half = Image.fromarray(page).reduce(2) if min(page.shape) > CALMED else Image.fromarray(page)
    radius = max(2, min(half.size) // (2 * WIDEST_LINE))
    around = np.asarray(half.filter(ImageFilter.BoxBlur(radius)))
    differences = np.asarray(half).astype(np.int16) - around
    counts = np.bincount((differences + 255).ravel(), minlength=511)
    return int(np.sum(counts * np.arange(-255, 256, dtype=np.int64) ** 3)) > 0


def ink_levels(page: UInt8Array, sheet: BoolArray | None) -> UInt8Array:
    """How much darker than the paper around it each pixel is, 255 for black on any paper."""
    smooth = _smooth(page) if min(page.shape) > CALMED else page
    paper = _paper(smooth, sheet).astype(np.int32)
    darker = np.maximum(paper - smooth, 0) * 255 // np.maximum(paper, DARKEST_PAPER)
    levels: UInt8Array = darker.astype(np.uint8)
    return levels


def _smooth(page: UInt8Array) -> UInt8Array:
    """The page with each pixel as a mean weighted 1 2 1 down and across, which calms grain."""
    padded = np.pad(page, 1, mode="edge").astype(np.uint16)
    down = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    summed = down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]
    mean: UInt8Array = ((summed + 8) >> 4).astype(np.uint8)
    return mean


def _paper(page: UInt8Array, sheet: BoolArray | None) -> UInt8Array:
    """The page as if nothing were drawn on it.

    Dark structures narrower than a line can be are filled with the light around them; shadows,
    hands and tables are wider and stay. Wide dark areas that lie on the paper are drawn, too: the
    shapes that were coloured in.
    """
    width = odd(min(page.shape) / WIDEST_LINE)
    without_lines = closed(page, width)
    coarse = np.asarray(Image.fromarray(without_lines).reduce(COARSER))
    off_paper = _off_paper(coarse, sheet)
    lit = np.zeros_like(coarse)
    for share in AREA_WIDTHS:
        without_areas = closed(coarse, odd(share * min(coarse.shape)))
        drawn = _coloured_in(coarse, without_areas, off_paper)
        lit = np.maximum(lit, np.where(drawn, without_areas, 0))
    return np.maximum(without_lines, _resized(lit, page.shape)) if lit.any() else without_lines


def _off_paper(page: UInt8Array, sheet: BoolArray | None) -> BoolArray:
    """The border, what is beyond the sheet, and all that is dark from there on: shadows, hands."""
    border = np.ones(page.shape, np.bool_)
    border[1:-1, 1:-1] = False
    if sheet is not None:
        border |= _resized(sheet.view(np.uint8), page.shape) == 0
    light = closed(page, odd(AREA_WIDTHS[-1] * min(page.shape)))
    regions = find_regions(page < SHADOW_LEVEL * light)
    return border | regions.mask(regions.touch(border))


def _coloured_in(page: UInt8Array, without_areas: UInt8Array, off_paper: BoolArray) -> BoolArray:
    """Where areas are coloured in, and a little around; all on a coarse grid.

    They are darker than the paper, lie on it, and end steeply, as no soft shadow does.
    """
    areas = page < AREA_LEVEL * without_areas
    regions = find_regions(areas)
    steep = (lightest(page, 5) - darkest(page, 5)) > (1 - AREA_LEVEL) * without_areas
    rim = areas & (darkest(areas.view(np.uint8), 3) == 0)
    n_rim, n_steep = regions.pixels_in(rim), regions.pixels_in(rim & steep)
    is_drawn = ~regions.touch(off_paper) & (n_steep > STEEP * n_rim)
    return lightest(regions.mask(is_drawn).view(np.uint8), 3).view(np.bool_)


AREA_WIDTHS = (0.25, 0.45, 0.85)
"""Shapes that may be coloured in, by the page's shorter side: the narrowest that is wide enough
follows the light best."""

AREA_LEVEL = 0.88
"""Of the light of the paper: what is darker on a wide area is coloured in."""

SHADOW_LEVEL = 0.8
"""Of the light of the paper: what is darker at the border is not a drawing. A lens dims less."""

STEEP = 0.7
"""Of an area's rim, so much ends within two pixels of the coarse grid."""

COARSER = 4
"""Times that areas are looked for on a coarser grid than lines."""


def _resized(pixels: UInt8Array, shape: tuple[int, ...]) -> UInt8Array:
    """Pixels in another shape, each as it is."""
    height, width = shape
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.NEAREST))


SMOOTH = 12
"""Of 255, the level that a fifth of a table's pattern or grain exceeds, and paper does not."""


def is_smooth(ink: UInt8Array) -> bool:
    """Whether there is no pattern or grain.

    Args:
        ink: levels, uint8, (n,).
    """
    return quantile(np.bincount(ink.ravel(), minlength=256), 0.8) < SMOOTH


def ink_threshold(ink: UInt8Array, sheet: BoolArray | None) -> int:
    """The level from which a pixel is ink rather than the grain of the paper."""
    levels = ink if sheet is None else ink[sheet]
    counts = np.bincount(levels.ravel(), minlength=256)[:DARK]
    median = quantile(counts, 0.5)
    deviations = np.bincount(np.abs(np.arange(DARK) - median), weights=counts, minlength=DARK)
    deviation = max(1, quantile(deviations, 0.5))
    return max(FAINTEST, median + NOISE_FACTOR * deviation)


def quantile(counts: IntArray, share: float) -> int:
    """The level that a share of the pixels does not exceed.

    Args:
        counts: pixels of each level, (n_levels,).
        share: 0 to 1.
    """
    return int(np.searchsorted(np.cumsum(counts), share * counts.sum()))


def odd(length: float) -> int:
    """The odd number of pixels nearest to a length."""
    return 2 * int(length / 2) + 1
