"""Pictures of apples and look-alikes, drawn by this program: a data set with nothing to download.

Some imitate a person's quick line drawing, the others a photo in gray. Each picture has its own row
of random numbers, so it does not depend on how many are drawn at a time. Arithmetic is float64
until the last rounding, which hides how machines differ in the last bit of a sine.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from apple_clf.arrays import FloatArray, IntArray, UInt8Array
from apple_clf.data.simulation.shapes import DRAW, MAX_ROLLS, TURN, Dice, Part, Points
from apple_clf.io.large_arrays import empty_pixels

CLASS_NAMES: Final = ("apple", "not_apple")
KINDS: Final[tuple[str, ...]] = tuple(DRAW)

_OTHERS: Final = (7, 1, 7, 2, 7, 3, 7, 4, 7, 5, 7, 6)  # every other non-apple is clutter
_CHUNK_PIXELS: Final = 2**20


@dataclass(frozen=True)
class Simulated:
    """Simulated pictures with what they show."""

    images: UInt8Array
    """Gray pixels, uint8, (n, height, width)."""

    labels: IntArray
    """Indices into CLASS_NAMES, int32, (n,)."""

    kinds: tuple[str, ...]
    """What each picture shows, one of KINDS."""


def simulate(
    n: int,
    *,
    image_size: tuple[int, int],
    seed: int | Sequence[int],
    apple_fraction: float = 0.5,
    line_drawings: float = 1.0,
) -> Simulated:
    """Gray pictures of apples and look-alikes, in random order, the same for the same arguments.

    Args:
        n: number of pictures, >= 0.
        image_size: height and width in pixels, >= 1 each; nothing is recognisable below 8.
        seed: one or more non-negative integers.
        apple_fraction: share of apples, 0 to 1; round(n * apple_fraction) are drawn.
        line_drawings: share of line drawings, 0 to 1; the others imitate photos.

    Returns:
        Pictures, labels and kinds. Light on dark and dark on light are equally likely.

    Raises:
        ValueError: an argument is out of its range.
    """
    _check(n, image_size)
    if not 0 <= apple_fraction <= 1:
        raise ValueError(f"apple_fraction must be 0 to 1, not {apple_fraction!r}")
    if not 0 <= line_drawings <= 1:
        raise ValueError(f"line_drawings must be 0 to 1, not {line_drawings!r}")
    order, rolls, grain = np.random.SeedSequence(seed).spawn(3)
    n_apples = round(n * apple_fraction)
    kinds = np.concatenate([np.zeros(n_apples, np.int64), np.resize(_OTHERS, n - n_apples)])
    kinds = np.random.default_rng(order).permutation(kinds)
    images = empty_pixels((n, *image_size))
    length = max(1, _CHUNK_PIXELS // (image_size[0] * image_size[1]))
    for start in range(0, n, length):
        chunk = slice(start, min(start + length, n))
        images[chunk] = _draw(
            kinds[chunk],
            line_drawings,
            _rows(rolls, chunk, (1 + MAX_ROLLS,)),
            _rows(grain, chunk, image_size),
        )
    return Simulated(images, (kinds > 0).astype(np.int32), tuple(KINDS[kind] for kind in kinds))


def noise(
    n: int, *, image_size: tuple[int, int], seed: int | Sequence[int]
) -> tuple[UInt8Array, IntArray]:
    """Pictures of random pixels with random labels: nothing there to learn.

    Args:
        n: number of pictures, >= 0.
        image_size: height and width in pixels, >= 1 each.
        seed: one or more non-negative integers.

    Returns:
        Pixels, uint8, (n, height, width), all 256 values equally likely, and labels 0 or 1, int32,
        (n,).

    Raises:
        ValueError: an argument is out of its range.
    """
    _check(n, image_size)
    rng = np.random.default_rng(seed)
    images = rng.integers(256, size=(n, *image_size), dtype=np.uint8)
    return images, rng.integers(2, size=n, dtype=np.int32)


def _check(n: int, image_size: tuple[int, int]) -> None:
    if n < 0:
        raise ValueError(f"n must be 0 or more, not {n!r}")
    if len(image_size) != 2 or min(image_size) < 1:
        raise ValueError(f"image_size must be two sides of 1 pixel or more, not {image_size!r}")


def _rows(seed: np.random.SeedSequence, chunk: slice, shape: tuple[int, ...]) -> FloatArray:
    """Rows of an endless table of uniform numbers; one number is one step of the generator."""
    table = np.random.PCG64(seed).advance(chunk.start * int(np.prod(shape)))
    return np.random.Generator(table).random((chunk.stop - chunk.start, *shape))


def _draw(
    kinds: IntArray, line_drawings: float, rolls: FloatArray, grain: FloatArray
) -> UInt8Array:
    """The pictures of one chunk, uint8, (n, height, width)."""
    pictures = np.empty(grain.shape, np.uint8)
    is_line_drawing = rolls[:, 0] < line_drawings
    for kind, name in enumerate(KINDS):
        for in_style, paint in ((is_line_drawing, _line_drawing), (~is_line_drawing, _photo)):
            (at,) = np.nonzero((kinds == kind) & in_style)
            if at.size:
                dice = Dice(rolls[at, 1:])
                pictures[at] = np.rint(255 * paint(DRAW[name](dice), dice, grain[at]))
    return pictures


def _line_drawing(parts: list[Part], dice: Dice, grain: FloatArray) -> FloatArray:
    """Strokes of one tone on blank paper, from an unsteady hand."""
    curves = [part.points for part in _posed(parts, dice, grain, unsteady=1.0)]
    paper, pen = 0.15 * dice.uniform(0, 1) ** 3, 1 - 0.3 * dice.uniform(0, 1) ** 2
    paper, pen = np.where(dice.chance(0.5), (paper, pen), (1 - paper, 1 - pen))[..., None]
    pictures: FloatArray = paper + (pen - paper) * _ink(curves, _pen_radius(dice, grain), grain)
    return pictures


def _photo(parts: list[Part], dice: Dice, grain: FloatArray) -> FloatArray:
    """Lit bodies that cast shadows on an uneven background, with a camera's noise."""
    parts = _posed(parts, dice, grain, unsteady=0.3)
    radius = 0.8 * _pen_radius(dice, grain)
    ys, xs = np.mgrid[: grain.shape[1], : grain.shape[2]] + 0.5
    tones = dice.uniform(0, 1, columns=9).T[..., None, None]  # (9, n, 1, 1)
    is_light = dice.chance(0.5)[..., None]
    ground = np.where(is_light, 0.05 + 0.25 * tones[0], 0.75 + 0.25 * tones[0])
    body = np.where(is_light, 0.75 + 0.25 * tones[1], 0.3 + 0.3 * tones[1])
    stroke = np.where(is_light, 0.5 + 0.2 * tones[2], 0.05 + 0.15 * tones[2])
    ramp = (tones[3] - 0.5) * xs / xs.max() + (tones[4] - 0.5) * ys / ys.max()
    picture = ground + 0.2 * ramp
    on_ground = True  # what comes after the first stroke, a leaf, hangs in the air
    for part in parts:
        if part.filled:
            light, shadow = _light_and_shadow(part.points, xs, ys, tones[5:7])
            picture = picture * (1 - 0.5 * on_ground * tones[7] * shadow)
            tone, cover = light * body * (1 if on_ground else 0.7), _area(part.points, grain)
        else:
            on_ground = False
            tone, cover = stroke, _ink([part.points], radius, grain)
        picture = picture + cover * (tone - picture)
    noisy: FloatArray = np.clip(picture + 0.15 * tones[8] ** 2 * (grain - 0.5), 0, 1)
    return noisy


def _pen_radius(dice: Dice, grain: FloatArray) -> FloatArray:
    """Half the width of a stroke in pixels, (n, 1)."""
    radius: FloatArray = np.maximum(dice.uniform(0.02, 0.05) * min(grain.shape[1:]), 0.5)
    return radius


def _posed(parts: list[Part], dice: Dice, grain: FloatArray, *, unsteady: float) -> list[Part]:
    """The parts in pixels: turned, stretched and bent, strokes not quite closed, in the frame."""
    stretch, shear = dice.uniform(0.8, 1.2), dice.uniform(-0.15, 0.15)
    turn, strength = np.exp(1j * dice.uniform(-0.25, 0.25)), unsteady * dice.uniform(0.04, 0.3)
    waves = [(pitch, pitch * dice.within(1), dice.within(1)) for pitch in (1.5, 3.0, 6.0)]
    phases = dice.uniform(0, TURN, columns=len(waves))
    moved = []
    for part in parts:
        x, y = part.points.real, part.points.imag
        points = (stretch * x + shear * y + 1j * y) * turn
        for nth, (pitch, wave, push) in enumerate(waves):
            along = points.real * wave.real + points.imag * wave.imag
            points = points + strength / pitch * push * np.sin(along + phases[:, [nth]])
        apart = np.linspace(-1, 1, points.shape[1]) * dice.within(0.07)
        moved.append(points + unsteady * apart)
    every = np.concatenate(moved, axis=1)
    low = _corner(np.nanmin, every)
    size = _corner(np.nanmax, every) - low
    height, width = grain.shape[1:]
    scale = dice.uniform(0.6, 0.9) * np.minimum(width / size.real, height / size.imag)
    x = dice.uniform(0.15, 0.85) * (width - scale * size.real)
    y = dice.uniform(0.15, 0.85) * (height - scale * size.imag)
    return [
        Part(scale * (points - low) + x + 1j * y, filled=part.filled)
        for points, part in zip(moved, parts, strict=True)
    ]


def _corner(extreme: Callable[..., FloatArray], points: Points) -> Points:
    """A corner of each drawing's bounding box, (n, 1); `extreme` is one of min and max."""
    x = extreme(points.real, axis=1, keepdims=True)
    return x + 1j * extreme(points.imag, axis=1, keepdims=True)


def _samples(points: Points) -> tuple[IntArray, Points, Points]:
    """Points half a pixel or less apart along the strokes, and the step that each is middle of.

    Args:
        points: polylines in pixels, (n, K), NaN where the pen is up.

    Returns:
        For each sample its row in points, int64, its place and its step, complex128, all (m,).
    """
    steps = np.diff(points, axis=1)
    row, nth = np.nonzero(np.isfinite(steps))
    start, step = points[row, nth], steps[row, nth]
    count = np.maximum(np.ceil(2 * np.abs(step)), 1).astype(np.int64)
    which = np.repeat(np.arange(len(count)), count)
    within = np.arange(len(which)) - (np.cumsum(count) - count)[which] + 0.5
    step = step / count
    return row[which], start[which] + within * step[which], step[which]


def _ink(curves: list[Points], radius: FloatArray, grain: FloatArray) -> FloatArray:
    """How much of each pixel a round pen covers, 0 to 1, (n, height, width).

    Every sample of a stroke inks the pixels around it; the darkest ink stays.
    """
    n, height, width = grain.shape
    pen_up = np.full((n, 1), np.nan)
    row, at, _ = _samples(np.hstack([each for curve in curves for each in (curve, pen_up)]))
    margin = int(np.ceil(radius.max() + 0.5))
    wide, high = width + 2 * margin, height + 2 * margin
    inside = (at.real > 0) & (at.real < width) & (at.imag > 0) & (at.imag < height)
    row, at = row[inside], at[inside]
    x, y = np.floor(at.real), np.floor(at.imag)
    right, below = at.real - x - 0.5, at.imag - y - 0.5  # of the middle of the pixel
    pixel = (row * high + y.astype(np.int64) + margin) * wide + x.astype(np.int64) + margin
    reach = radius[row, 0] + 0.5
    canvas = np.zeros(n * high * wide)
    for dy in range(-margin, margin + 1):
        for dx in range(-margin, margin + 1):
            ink = reach - np.sqrt((dx - right) ** 2 + (dy - below) ** 2)
            np.maximum.at(canvas, pixel + (dy * wide + dx), ink)
    cover = canvas.reshape(n, high, wide)[:, margin : margin + height, margin : margin + width]
    return np.minimum(cover, 1)


def _area(points: Points, grain: FloatArray) -> FloatArray:
    """How much of each pixel a closed outline encloses, 0 to 1, (n, height, width).

    Each step of the outline adds its rise to the pixels of its rows and to all on their right, so
    that the sum along a row is the winding number, with the share of the pixels that it crosses.

    Source: the signed-area accumulation of font rasterizers (R. Levien, font-rs, 2016), for steps
    shorter than a pixel.
    """
    n, height, width = grain.shape
    row, at, step = _samples(np.hstack([points, points[:, :1]]))
    x = np.clip(at.real, 0, width)
    column, (begin, end) = np.floor(x), (at.imag - step.imag / 2, at.imag + step.imag / 2)
    canvas = np.zeros(n * height * (width + 2))
    for below in (0, 1):  # a step touches two rows at most
        line = np.floor(np.minimum(begin, end)) + below
        rise = np.clip(end - line, 0, 1) - np.clip(begin - line, 0, 1)
        rise = np.where((line >= 0) & (line < height), rise, 0)
        pixel = (row * height + np.clip(line, 0, height - 1)) * (width + 2) + column
        for right, share in ((0, 1 - (x - column)), (1, x - column)):
            where = pixel.astype(np.int64) + right
            canvas += np.bincount(where, rise * share, minlength=canvas.size)
    winding = canvas.reshape(n, height, width + 2).cumsum(axis=2)[:, :, :width]
    cover: FloatArray = np.minimum(np.abs(winding), 1)
    return cover


def _light_and_shadow(
    points: Points, xs: FloatArray, ys: FloatArray, tones: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """How bright a ball in place of a body is, lit from above, and how dark the ground beneath."""
    low, high = _corner(np.min, points)[..., None], _corner(np.max, points)[..., None]
    center, half = (low + high) / 2, (high - low) / 2 + (0.5 + 0.5j)
    u, v = (xs - center.real) / half.real, (ys - center.imag) / half.imag
    side = 1.4 * (tones[0] - 0.5)
    toward = 0.7 * np.sqrt(np.maximum(1 - u**2 - v**2, 0)) + side * u - 0.5 * v
    shine = np.exp(-10 * ((u - 0.6 * side) ** 2 + (v + 0.4) ** 2))
    shadow = np.exp(-((u + side) ** 2) - 12 * (v - 1) ** 2)
    light = np.maximum(0.6 + 0.4 * toward, 0.2) + 0.5 * tones[1] * shine
    return np.nan_to_num(light), np.nan_to_num(shadow)  # 0 for a missing part
