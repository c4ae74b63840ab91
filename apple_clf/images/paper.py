"""A photo or scan of pen on paper -> the drawing on it, and what was done to find it.

Ink that belongs to no drawing, such as ruled lines, a name in a corner, a hand or a table's grain,
is told apart by its shape and place.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from PIL import Image

from apple_clf.arrays import BoolArray, FloatArray, IntArray, UInt8Array
from apple_clf.images.ink import (
    ink_levels,
    ink_threshold,
    is_light_ink,
    is_smooth,
    plain_ground,
    quantile,
    strongest_ink,
)
from apple_clf.images.preprocessing import Polarity
from apple_clf.images.regions import Regions, find_regions, lightest
from apple_clf.images.rulings import without_rulings
from apple_clf.images.sheet import find_sheet
from apple_clf.images.strokes import redraw

WORKING_SIDE = 768
"""Pixels of the longer side that a drawing is looked for in; a ball pen draws two wide."""

ROUGHEST = 56
"""Of 255: where ink would have to be darker than this to stand out, there is no paper. Of 100
photos of groceries 98 need 74 and more, of pictures of paper 98 in 100 no more than 33."""


@dataclass(frozen=True)
class Found:
    """A drawing found on paper.

    Attributes:
        pixels: drawn again, light on dark, uint8, (height, width).
        frame: top, left, height and width of what they show, in pixels of the picture.
        steps: what was done, a phrase each.
    """

    pixels: UInt8Array
    frame: tuple[float, float, float, float]
    steps: tuple[str, ...]


def find_drawing(pixels: UInt8Array, size: tuple[int, int], *, polarity: Polarity) -> Found | None:
    """The drawing in a picture of paper, or None if there is none.

    Args:
        pixels: uint8, (height, width), or with 1 or 3 channels.
        size: height and width of the result.
        polarity: as the contract says; auto and as_is look at the picture.
    """
    page = _working(strongest_ink(pixels))
    for view in _views(page, polarity):
        found = _find(view, size)
        if found is not None:
            down, across = pixels.shape[0] / page.shape[0], pixels.shape[1] / page.shape[1]
            top, left, height, width = found.frame
            frame = top * down, left * across, height * down, width * across
            return replace(found, frame=frame)
    return None


class _View(NamedTuple):
    """What a picture may be of."""

    page: UInt8Array  # dark ink, (height, width)
    sheet: BoolArray | None  # the inside of the sheet of paper; None if all is paper
    how: str  # what was done to see it so


def _views(page: UInt8Array, polarity: Polarity) -> Iterator[_View]:
    """What a picture may be of, the likeliest first."""
    may_lie_on_a_table = polarity != "light_on_dark" and plain_ground(page) is None
    sheet = find_sheet(page) if may_lie_on_a_table else None
    # Without a pattern, the rest is a shadow on the paper or as good as paper.
    if sheet is not None and not is_smooth(ink_levels(page, sheet)[~sheet]):
        yield _View(page, sheet, "sheet of paper found")
    if is_light_ink(page, polarity):
        yield _View(~page, None, "light strokes on dark ground, inverted")
    else:
        yield _View(page, None, "")


def _find(view: _View, size: tuple[int, int]) -> Found | None:
    """As `find_drawing`, with the frame in pixels of the view."""
    ink = ink_levels(view.page, view.sheet)
    threshold = ink_threshold(ink, view.sheet)
    if threshold > ROUGHEST:
        return None
    mask, n_lines = without_rulings(ink, threshold, view.sheet)
    regions = find_regions(mask)
    kept, dropped = _inside(regions, view.sheet)
    chosen = _cluster(regions, kept)
    if chosen is None or _is_clutter(regions, chosen) or _is_dot(regions, chosen):
        return None
    box = _box(regions.boxes[chosen])
    drawn = _redrawn(ink, regions.mask(chosen), box, size)
    if drawn is None:
        return None
    steps = (
        view.how,
        _counted(n_lines, "ruled line", "removed"),
        "what touches the border left out" if dropped else "",
        _counted(int((kept & ~chosen).sum()), "mark", "beside the drawing left out"),
        "strokes drawn again in one width",
    )
    return Found(drawn, _frame(box, size), tuple(step for step in steps if step))


def _redrawn(
    ink: UInt8Array, drawing: BoolArray, box: tuple[int, int, int, int], size: tuple[int, int]
) -> UInt8Array | None:
    """The drawing in one width, or None if it is not clear of what is beside it."""
    top, left, bottom, right = box
    strokes = np.where(drawing, ink, 0)[top:bottom, left:right]
    edge = _edge_level(strokes)
    if not _stands_out(ink[top:bottom, left:right], strokes >= edge):
        return None
    return redraw(strokes, size, threshold=edge)


def _counted(n: int, what: str, done: str) -> str:
    """A phrase on so many things, empty if there are none."""
    return f"{n} {what}{'s' * (n > 1)} {done}" if n else ""


def _frame(
    box: tuple[int, int, int, int], size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """Top, left, height and width of what a result shows whose drawing fills 26/28 of it."""
    top, left, bottom, right = box
    zoom = max((bottom - top) / (size[0] * 13 / 14), (right - left) / (size[1] * 13 / 14))
    height, width = size[0] * zoom, size[1] * zoom
    return (top + bottom - height) / 2, (left + right - width) / 2, height, width


def _working(gray: UInt8Array) -> UInt8Array:
    """The picture with at most WORKING_SIDE pixels on its longer side."""
    shrink = max(gray.shape) / WORKING_SIDE
    if shrink <= 1:
        return gray
    height, width = (max(1, round(side / shrink)) for side in gray.shape)
    return np.asarray(Image.fromarray(gray).resize((width, height), Image.Resampling.BOX))


def _edge_level(ink: UInt8Array) -> int:
    """Three tenths of what the strokes' upper quartile has: ball pens draw unevenly."""
    counts = np.bincount(ink.ravel(), minlength=256)
    counts[0] = 0
    return max(1, quantile(counts, 0.75) * 3 // 10)


BESIDE = 9
"""Width of the square around a pixel of a stroke that is looked at beside it."""

CLEAR = 0.3
"""Of the ink of strokes, what is beside them has at most this share. Of pictures of paper 98 in 100
have less than 0.2, of what looks like strokes in photos as many have more than 0.3."""


def _stands_out(ink: UInt8Array, strokes: BoolArray) -> bool:
    """Whether strokes lie on paper, rather than among other marks of about their strength."""
    near = lightest(strokes.view(np.uint8), BESIDE).view(np.bool_)
    beside = ink[near & ~strokes]
    return not beside.size or float(beside.mean()) < CLEAR * float(ink[strokes].mean())


def _inside(regions: Regions, sheet: BoolArray | None) -> tuple[BoolArray, bool]:
    """Which regions lie on the paper and off its border, and whether large ones do not."""
    height, width = regions.shape
    if sheet is None:
        border = np.ones(regions.shape, np.bool_)
        border[1 : height - 1, 1 : width - 1] = False
    else:
        border = ~sheet
    contact = regions.pixels_in(border)
    large = regions.areas > _speck(regions.shape)
    outside = contact > 0
    outside &= ~_reaches_the_border(regions, contact, large & ~outside)
    return large & ~outside, bool((large & outside).any())


OUTSTANDING = 2.5
"""Times as large as all that lies inside, what touches the border is the drawing."""


def _reaches_the_border(regions: Regions, contact: IntArray, inside: BoolArray) -> BoolArray:
    """Which region is the drawing, though a little of it is on the paper's border.

    Args:
        regions: of ink.
        contact: pixels of each on the border, (n,).
        inside: those that are not on it, (n,).
    """
    extent = _extents(regions.boxes)
    height, width = regions.shape
    candidates = (contact > 0) & (contact < extent / 4) & (extent < 0.9 * np.hypot(height, width))
    largest_inside = np.max(extent, where=inside, initial=min(height, width) / 20)
    chosen = candidates & (extent > OUTSTANDING * largest_inside)
    largest: BoolArray = chosen & (extent == np.max(extent, where=chosen, initial=0))
    return largest


def _extents(boxes: IntArray) -> FloatArray:
    """Diagonals of boxes, in pixels, (n,)."""
    diagonals: FloatArray = np.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    return diagonals


def _speck(shape: tuple[int, ...]) -> int:
    """Pixels of what is too small for a part of a drawing."""
    return max(4, shape[0] * shape[1] // 40_000)


NEAR, NEAR_ALIKE = 0.06, 0.3
"""Parts of a drawing are no farther from it than the first share of its size, parts of about the
size of the largest than the second. A name in a corner is small and apart."""

ALIKE = 0.4
"""Of the largest part's size, to be about as large."""


def _cluster(regions: Regions, kept: BoolArray) -> BoolArray | None:
    """The regions of the drawing: the largest, and those near to what was taken."""
    if not kept.any():
        return None
    boxes = regions.boxes
    extent = _extents(boxes)
    largest = int(np.argmax(np.where(kept, extent, -1)))
    chosen = np.zeros(regions.n, np.bool_)
    chosen[largest] = True
    share = np.where(extent >= ALIKE * extent[largest], NEAR_ALIKE, NEAR)
    while True:
        top, left, bottom, right = _box(boxes[chosen])
        apart_y = np.maximum(0, np.maximum(boxes[:, 0] - bottom, top - boxes[:, 2]))
        apart_x = np.maximum(0, np.maximum(boxes[:, 1] - right, left - boxes[:, 3]))
        reach = share * np.hypot(bottom - top, right - left)
        near = kept & ~chosen & (np.hypot(apart_y, apart_x) <= reach)
        if not near.any():
            return chosen
        chosen |= near


CLUTTER = 2.0
"""Where the specks around a drawing hold so many times its ink, there is no drawing. Of pictures of
paper 98 in 100 have less than 0.9; the rest is leeway, as a photo of a drawing must not be lost."""


def _is_clutter(regions: Regions, chosen: BoolArray) -> bool:
    """Whether what was chosen are a few of many specks."""
    areas = regions.areas
    specks = areas[~chosen & (areas <= 4 * _speck(regions.shape))].sum()
    return bool(specks > CLUTTER * areas[chosen].sum())


DOT = 0.07
"""Of the page's diagonal: what is no larger is a dot, in which no network should see a drawing."""


def _is_dot(regions: Regions, chosen: BoolArray) -> bool:
    top, left, bottom, right = _box(regions.boxes[chosen])
    return bool(np.hypot(bottom - top, right - left) <= DOT * np.hypot(*regions.shape))


def _box(boxes: IntArray) -> tuple[int, int, int, int]:
    """The box around some boxes."""
    top, left = boxes[:, :2].min(axis=0)
    bottom, right = boxes[:, 2:].max(axis=0)
    return int(top), int(left), int(bottom), int(right)
