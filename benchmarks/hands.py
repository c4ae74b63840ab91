"""Drawings as strokes: traced from pixels, drawn once more by another hand, and handwriting.

A stroke is an array of points (x, y), float64, (n, 2), in the order in which a pen passes them.
Traced drawings fit a square of side 1 around the origin, y downwards.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from PIL import Image

from apple_clf.arrays import BoolArray, FloatArray, UInt8Array

Strokes: TypeAlias = list[FloatArray]
Pixel: TypeAlias = tuple[int, int]

ENLARGED = 4
INK = 96
"""Gray level from which an enlarged drawing counts as stroke."""
SPUR = 1.5 * ENLARGED
"""Shorter branches, in pixels of the enlarged drawing, are knots of the thinning, not strokes."""
LEAST = 3
"""Pixels of what connects two strokes; less is a step of the raster."""
LOOK_BACK = 6
"""Steps that say which way a pen is going, so that it goes straight on where lines cross."""
STEP = 3
"""Pixels of the enlarged drawing between two points of a stroke."""
AROUND = [(-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1)]


def trace(drawing: UInt8Array) -> Strokes:
    """The strokes of a drawing of light lines on dark, uint8, (height, width); [] if it is empty.

    Areas that a pen has filled come back as the lines in their middle.
    """
    height, width = drawing.shape
    size = (ENLARGED * width, ENLARGED * height)
    large = Image.fromarray(drawing).resize(size, Image.Resampling.BICUBIC)
    paths = _follow(thin(np.asarray(large) > INK))
    return _to_unit([_smoothed(np.array(path, float)[:, ::-1]) for path in paths])


def thin(mask: BoolArray) -> BoolArray:
    """Lines of one pixel in the middle of the lines of a mask.

    Source: Zhang and Suen 1984, doi:10.1145/357994.358023.
    """
    image = np.pad(mask, 1).astype(np.uint8)
    height, width = mask.shape
    inner = image[1:-1, 1:-1]
    ring = [(0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0)]  # clockwise from north
    around = [image[y : y + height, x : x + width] for y, x in ring]
    north, east, south, west = around[::2]
    before = -1
    while before != (before := int(inner.sum())):
        for turn in (0, 1):
            if turn == 0:  # takes from the south-east, the other one from the north-west
                keep = (east & south) & (north | west)
            else:
                keep = (north & west) & (east | south)
            n = sum(around, np.zeros_like(inner))
            starts = sum((b & ~a & 1 for a, b in pairwise([*around, around[0]])), inner * 0)
            inner[(n >= 2) & (n <= 6) & (starts == 1) & (keep == 0)] = 0
    for turn in range(4):  # the inner corners of stairs, which would be strokes of their own
        a, _, b, _, *others = around[2 * turn :] + around[: 2 * turn]
        beyond = others[0] | others[1] | others[2]
        inner[(a & b & ~beyond & 1).astype(bool)] = 0
    return inner.astype(bool)


def _follow(skeleton: BoolArray) -> list[list[Pixel]]:
    """The paths of a pen along lines of one pixel, each line once, ends first."""
    pixels = [(int(y), int(x)) for y, x in np.argwhere(skeleton)]
    left = set(pixels)
    line = frozenset(pixels)
    paths = []
    for start in sorted(pixels, key=lambda pixel: len(_beside(pixel, left)) != 1):
        if start not in left:
            continue
        path = _walk(start, left)
        touching = [_joint(end, path, line) for end in (path[0], path[-1])]
        is_spur = len(path) < SPUR and None in touching
        if any(touching) and (is_spur or len(path) < LEAST):
            continue
        first, last = (
            other or _beyond(path[:: 1 - 2 * side]) for side, other in enumerate(touching)
        )
        path = [first, *path, last]
        paths.append(path)
    return paths


def _beyond(path: list[Pixel]) -> Pixel:
    """Where the line ended before it was thinned, about half its width before a path's start."""
    (y, x), (from_y, from_x) = path[0], path[min(LOOK_BACK, len(path) - 1)]
    away = max(1.0, float(np.hypot(y - from_y, x - from_x)))
    half = 0.75 * ENLARGED
    return round(y + half * (y - from_y) / away), round(x + half * (x - from_x) / away)


def _beside(pixel: Pixel, among: frozenset[Pixel] | set[Pixel]) -> list[Pixel]:
    y, x = pixel
    return [(y + dy, x + dx) for dy, dx in AROUND if (y + dy, x + dx) in among]


def _walk(start: Pixel, left: set[Pixel]) -> list[Pixel]:
    """As far as the line goes, straight on where there is a choice; takes its pixels away."""
    path = [start]
    left.discard(start)
    while choices := _beside(path[-1], left):
        (y, x), (from_y, from_x) = path[-1], path[max(-LOOK_BACK, -len(path))]
        heading = y - from_y, x - from_x
        ahead = [
            (heading[0] * (b - y) + heading[1] * (a - x)) / np.hypot(b - y, a - x)
            for b, a in choices
        ]
        path.append(choices[int(np.argmax(ahead))])
        left.discard(path[-1])
    return path


def _joint(end: Pixel, path: list[Pixel], line: frozenset[Pixel]) -> Pixel | None:
    """A pixel beside the end that belongs to another stroke, or to a distant part of this one."""
    near = set(path) if len(path) <= 2 * LOOK_BACK else None
    if near is None:
        place = path.index(end)
        near = set(path[max(0, place - LOOK_BACK) : place + LOOK_BACK + 1])
    return next((pixel for pixel in _beside(end, line) if pixel not in near), None)


def _smoothed(points: FloatArray) -> FloatArray:
    """Without the stairs of the pixels, and with fewer points; both ends stay."""
    points = points.copy()
    for _ in range(2 * ENLARGED):
        points[1:-1] = (points[:-2] + 2 * points[1:-1] + points[2:]) / 4
    return resampled(points, STEP)


def resampled(points: FloatArray, step: float) -> FloatArray:
    """Points of a stroke about as far apart as asked, both ends among them."""
    along = _along(points)
    n = max(2, round(along[-1] / step) + 1)
    places = np.linspace(0, along[-1], n)
    return np.stack([np.interp(places, along, points[:, axis]) for axis in (0, 1)], axis=1)


def _along(points: FloatArray) -> FloatArray:
    """The way from the start of a stroke to each of its points, (n,)."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    return np.concatenate([[0.0], np.cumsum(steps)])


def _to_unit(strokes: Strokes) -> Strokes:
    if not strokes:
        return []
    low, high = box(strokes)
    return [(stroke - (low + high) / 2) / max(*(high - low), 1e-9) for stroke in strokes]


def box(strokes: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """The least and the largest x and y of strokes, (2,) each."""
    points = np.concatenate(strokes)
    return points.min(axis=0), points.max(axis=0)


def redrawn(strokes: Strokes, rng: np.random.Generator, *, wobble: float) -> Strokes:
    """The same drawing by another hand: leaning, stretched, each stroke a little astray.

    Args:
        strokes: of a square of side 1.
        rng: makes all choices.
        wobble: standard deviation of a point's deviation, as a share of the drawing.
    """
    angle, lean = rng.normal(0, 0.05), rng.normal(0, 0.04)
    stretch = rng.normal(1, 0.05)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    matrix = np.array([[stretch, 0], [lean, 1 / stretch]]) @ turn
    return _to_unit([_astray(stroke @ matrix, rng, wobble) for stroke in strokes])


def _astray(stroke: FloatArray, rng: np.random.Generator, wobble: float) -> FloatArray:
    along = _along(stroke)[:, None]
    moved = stroke + rng.normal(0, 0.5 * wobble, 2)
    for wave in (0.9, 0.35, 0.12):  # lengths, as shares of the drawing
        phase = rng.uniform(0, 2 * np.pi, 2)
        size = rng.normal(0, wobble * wave**0.7, 2)
        moved = moved + size * np.sin(2 * np.pi * along / wave + phase)
    return moved[::-1] if rng.random() < 0.3 else moved


CAPITALS = {
    "A": ["04 20 44", "12 32"], "E": ["40 00 04 44", "02 32"], "H": ["00 04", "40 44", "02 42"],
    "L": ["00 04 34"], "M": ["04 00 22 40 44"], "N": ["04 00 44 40"], "T": ["00 40", "20 24"],
    "K": ["00 04", "40 02 44"], "P": ["04 00 30 41 32 02"], "Z": ["00 40 04 44"],
    "V": ["00 24 40"], "I": ["20 24"], "B": ["04 00 30 31 02 32 33 04"], "F": ["40 00 04", "02 32"],
}  # fmt: skip


def written(rng: np.random.Generator) -> Strokes:
    """A name, a capital and joined small letters; 1 is a capital's height, from (0, 0) on."""
    lines = CAPITALS[str(rng.choice(list(CAPITALS)))]
    capital = [
        np.array([[int(pair[0]), int(pair[1])] for pair in line.split()], np.float64) / 4
        for line in lines
    ]
    strokes = [line * [0.7, 1.0] for line in capital]
    x, letters = 0.8, [np.array([[0.8, 1.0]])]
    for _ in range(rng.integers(3, 8)):
        wide, high = (
            rng.uniform(0.3, 0.6),
            rng.choice([0.45, 0.5, 0.55, 0.95], p=[0.3, 0.3, 0.2, 0.2]),
        )
        at = np.linspace(0, 2 * np.pi, 9)[1:]
        loop = rng.uniform(0.05, 0.25)
        across = x + wide * at / (2 * np.pi) + loop * np.sin(at)
        letters.append(np.stack([across, 1 - high * (1 - np.cos(at)) / 2], axis=1))
        x += wide
    strokes.append(np.concatenate(letters))
    slant = rng.uniform(-0.1, 0.35)
    return [
        np.stack([stroke[:, 0] + slant * (1 - stroke[:, 1]), stroke[:, 1]], axis=1)
        + rng.normal(0, 0.02, stroke.shape)
        for stroke in strokes
    ]
