"""Pens, pencils and felt pens: strokes in pixels -> how much of the light each pixel loses."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from apple_clf.arrays import BoolArray, FloatArray
from benchmarks.hands import Strokes, box, resampled

Colour = tuple[float, float, float]
"""Reflected share of red, green and blue, 0 to 1."""

Shape = tuple[int, int]
"""Height and width of a picture in pixels."""

GRAIN = 1024
"""Side of the tile that all grain is cut from."""


@dataclass(frozen=True)
class Pen:
    """What a line looks like."""

    width: float  # share of the page's width
    colour: Colour
    strength: float = 1.0  # of a line's middle; 1 hides the paper
    unevenness: float = 0.1  # change of strength and width along a line, 0 to 1
    grain: float = 0.0  # how much the paper's tooth shows, 0 to 1


class Patch(NamedTuple):
    """A part of a picture: its place and a value for each pixel, float32, 0 to 1."""

    top: int
    left: int
    values: FloatArray  # (height, width)

    @property
    def place(self) -> tuple[slice, slice]:
        height, width = self.values.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


@lru_cache(maxsize=1)
def _tile() -> FloatArray:
    """Normal noise, slightly smoothed, standard deviation 1, that repeats every GRAIN pixels."""
    noise = np.random.default_rng(7).standard_normal((GRAIN, GRAIN), np.float32)
    noise = noise + np.roll(noise, 1, 0) * 0.5 + np.roll(noise, 1, 1) * 0.5
    return np.tile(noise / noise.std(), (3, 3))


def grain(shape: Shape, rng: np.random.Generator) -> FloatArray:
    """Fine noise, standard deviation 1, float32; cut from one tile to save time."""
    y, x = rng.integers(GRAIN, size=2)
    tile = _tile().T if rng.random() < 0.5 else _tile()
    if max(shape) > 2 * GRAIN:
        tile = np.tile(tile, (2, 2))
    return tile[y : y + shape[0], x : x + shape[1]]


def clouds(shape: Shape, cells: Shape, rng: np.random.Generator) -> FloatArray:
    """Coarse noise of so many cells down and across, standard deviation about 1, float32."""
    few = rng.standard_normal((cells[0] + 1, cells[1] + 1), np.float32)
    large = Image.fromarray(few).resize(shape[::-1], Image.Resampling.BICUBIC)
    return np.asarray(large)


def drawn(
    strokes: Strokes, pen: Pen, *, page: float, shape: Shape, rng: np.random.Generator
) -> Patch:
    """How much a pen covers, where it was.

    Args:
        strokes: in pixels of the picture.
        pen: whose width is a share of the page's.
        page: the page's width in pixels.
        shape: the picture's height and width.
        rng: makes all choices.
    """
    width = pen.width * page
    low, high = box(strokes)
    margin = 2 * width + 4
    left, top = (int(value) for value in np.clip(low - margin, 0, np.array(shape[::-1]) - 2))
    right, bottom = (
        int(np.ceil(value)) for value in np.clip(high + margin, [left + 1, top + 1], shape[::-1])
    )
    times = 4 if width < 6 else 2
    mask = Image.new("L", (times * (right - left), times * (bottom - top)))
    draw = ImageDraw.Draw(mask)
    for stroke in strokes:
        _draw(draw, (stroke - [left, top]) * times, width * times, pen, rng)
    mask = mask.reduce(times)
    values = np.asarray(mask, np.float32) / 255
    if pen.grain:
        tooth = grain(values.shape, rng)
        values = values * np.clip(1 - pen.grain * (0.5 + 0.6 * tooth), 0, 1)
    return Patch(top, left, pen.strength * values)


def _draw(
    draw: ImageDraw.ImageDraw, stroke: FloatArray, width: float, pen: Pen, rng: np.random.Generator
) -> None:
    points = rounded(stroke, max(2.0, 0.6 * width))
    n = len(points)
    waves = np.interp(np.arange(n), np.linspace(0, n, 3 + n // 12), rng.normal(0, 1, 3 + n // 12))
    levels = np.clip(255 * (1 - pen.unevenness * (0.4 + 0.5 * waves)), 60, 255).astype(int).tolist()
    widths = np.clip(width * (1 + 0.3 * pen.unevenness * waves), 1, None)
    corners = [tuple(point) for point in points.tolist()]
    for i, (x, y) in enumerate(corners):
        radius = widths[i] / 2
        if i:
            draw.line([corners[i - 1], (x, y)], fill=levels[i], width=max(1, round(widths[i])))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=levels[i])


def rounded(stroke: FloatArray, step: float) -> FloatArray:
    """A stroke with its corners cut twice, so that enlarged it has none, and even steps."""
    for _ in range(2):
        before, after = stroke[:-1], stroke[1:]
        middle = np.stack([0.75 * before + 0.25 * after, 0.25 * before + 0.75 * after], axis=1)
        stroke = np.concatenate([stroke[:1], middle.reshape(-1, 2), stroke[-1:]])
    return resampled(stroke, step)


class Inside(NamedTuple):
    """What a drawing's outlines enclose: a mask on a raster over its box."""

    mask: FloatArray  # (RASTER, RASTER), 0 or 1
    low: FloatArray
    high: FloatArray

    @property
    def share(self) -> float:
        """Of the box."""
        return float(self.mask.mean())


RASTER = 96


def enclosed(strokes: Strokes) -> Inside:
    """What a pen cannot leave without crossing a line; small gaps count as closed."""
    low, high = box(strokes)
    scale = (RASTER - 1) / np.maximum(high - low, 1e-9)
    image = Image.new("L", (RASTER + 2, RASTER + 2))
    draw = ImageDraw.Draw(image)
    for stroke in strokes:
        draw.line([tuple(point) for point in ((stroke - low) * scale + 1).tolist()], 128, width=4)
    pixels = np.array(image)
    pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1] = 0, 0, 0, 0
    outside = _reached(pixels == 0)
    mask = (~outside & (pixels == 0))[1:-1, 1:-1].astype(np.float32)
    return Inside(mask, low, high)


def _reached(free: BoolArray) -> BoolArray:
    """What can be reached from the upper left corner, one free pixel after another."""
    reached = np.zeros_like(free)
    reached[0] = reached[-1] = reached[:, 0] = reached[:, -1] = True
    before = -1
    while before != (before := int(reached.sum())):
        for axis in (0, 1):
            for seen, way in ((reached, free), (np.flip(reached, axis), np.flip(free, axis))):
                seen |= _swept(seen, way, axis)  # in place, so flipped it is the same array
    return reached


def _swept(reached: BoolArray, free: BoolArray, axis: int) -> BoolArray:
    """What is free, with only free pixels between it and a reached one before it on an axis."""
    places = np.arange(free.shape[axis]).reshape((-1, 1) if axis == 0 else (1, -1))
    last_wall = np.maximum.accumulate(np.where(free | reached, -1, places), axis=axis)
    last_reached = np.maximum.accumulate(np.where(reached, places, -1), axis=axis)
    return np.asarray(free & (last_reached > last_wall))


def hatched(inside: Inside, *, gap: float, angle: float, rng: np.random.Generator) -> Strokes:
    """Lines across what is enclosed, a gap in pixels apart, some beyond the edge."""
    size = inside.high - inside.low
    middle, reach = (inside.low + inside.high) / 2, float(np.hypot(*size)) / 2
    along, across = (
        np.array([np.cos(angle), np.sin(angle)]),
        np.array([-np.sin(angle), np.cos(angle)]),
    )
    places = np.linspace(-reach, reach, 160)
    lines = []
    for offset in np.arange(-reach, reach, gap):
        points = middle + np.outer(places, along) + (offset + rng.normal(0, 0.15 * gap)) * across
        raster = np.floor((points - inside.low) / size * (RASTER - 1) + 0.5).astype(int)
        valid = ((raster >= 0) & (raster < RASTER)).all(axis=1)
        x, y = np.clip(raster, 0, RASTER - 1).T
        hit = np.concatenate([[0], valid & (inside.mask[y, x] > 0), [0]]).astype(int)
        turns = np.diff(hit)
        for start, end in zip(np.flatnonzero(turns == 1), np.flatnonzero(turns == -1), strict=True):
            if end - start > 3:
                a = max(0, int(start) + round(rng.normal(0, 1.5)))
                b = min(159, int(end) - 1 + round(rng.normal(0, 1.5)))
                bow = rng.normal(0, 0.1) * gap * np.sin(np.linspace(0, np.pi, 6))
                line = points[a] + np.outer(np.linspace(0, 1, 6), points[b] - points[a])
                lines.append(line + np.outer(bow, across))
    return lines


def zigzag(lines: Strokes) -> Strokes:
    """Hatching without lifting the pen."""
    turned = [line[::-1] if i % 2 else line for i, line in enumerate(lines)]
    joined: list[list[FloatArray]] = []
    for line in turned:
        near = joined and np.hypot(*(joined[-1][-1][-1] - line[0])) < 0.6 * np.hypot(
            *(line[-1] - line[0])
        )
        if near:
            joined[-1].append(line)
        else:
            joined.append([line])
    return [np.concatenate(part) for part in joined]


def flat(inside: Inside, shape: Shape, rng: np.random.Generator) -> Patch:
    """What is enclosed, covered evenly with the streaks of a broad felt pen."""
    left, top = np.clip(np.floor(inside.low), 0, np.array(shape[::-1]) - 2).astype(int).tolist()
    right, bottom = np.clip(np.ceil(inside.high), [left + 1, top + 1], shape[::-1]).astype(int)
    height, width = int(bottom) - top, int(right) - left
    small = Image.fromarray((255 * inside.mask).astype(np.uint8))
    small = small.filter(ImageFilter.GaussianBlur(1.5))
    mask = small.resize((width, height), Image.Resampling.BICUBIC)
    values = np.clip((np.asarray(mask, np.float32) / 255 - 0.2) / 0.1, 0, 1)
    streaks = clouds((height, width), (2, 24) if rng.random() < 0.5 else (24, 2), rng)
    return Patch(top, left, values * np.clip(0.85 + 0.07 * streaks, 0.5, 1))


def lay(canvas: FloatArray, patch: Patch, colour: Sequence[float]) -> None:
    """Takes light from a canvas, (height, width, 3), where ink lies."""
    lost = patch.values[:, :, None] * (1 - np.asarray(colour, np.float32))
    canvas[patch.place] *= 1 - lost
