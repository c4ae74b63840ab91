"""What kind of picture it is: a drawing on plain ground, or a photo; in colour, or not.

A glance, for `init` to choose an experiment by and for a run to record. It decides nothing about
the pixels a network sees.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from apple_clf.arrays import BoolArray, FloatArray, UInt8Array

GLANCE = 64
"""Shorter side in pixels of what is looked at. Lines of a pen vanish in it, and so does grain."""

NEAR = 24
"""Gray levels within which a pixel belongs to the ground. The ruling of a page does, ink does
not."""

PLAIN, EVEN = 0.5, 0.5
"""Share of the picture that is ground, and its dimmest level over its brightest (of a dark ground
the same in the negative). Of 300 real drawings all have more of both, of 300 photos 6 % do."""

VERY_PLAIN, LIT_FROM_A_SIDE = 0.85, 0.25
"""The same for a page that is nearly empty, which a lamp or a shadow may light very unevenly."""

OTHER_HUE = 40
"""Difference in R - G and G - B together from which on a pixel has another colour than the ground;
paper in yellow light has none."""

IN_COLOUR = 0.05
"""Share of the pixels. Of 300 photos of groceries 98 % have twice as much, a gray JPEG has none."""

FILLED = 0.04
"""Share of the pixels inside coloured areas, not lines: then it is no line drawing but a photo of
something on plain ground, or painted, and its colour matters more than its outline."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a glance at one picture tells."""

    is_drawing: bool  # lines on plain ground, light or dark; else a photo
    has_colour: bool


def kind_of(pixels: UInt8Array) -> Kind:
    """Whether a picture is a drawing, and whether it has colour.

    A drawing is mostly one ground, which may be lit unevenly, without coloured areas. What cannot
    be told apart from one by its ground, such as a gray photo of a thing on white paper, counts
    as a drawing. A drawing on a sheet that fills less than half of a photo counts as a photo.

    Args:
        pixels: uint8, (height, width), or (height, width, channels) with 1 or 3 channels.
    """
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        pixels = np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2)
    seen = _small(pixels)
    gray = np.asarray(Image.fromarray(seen).convert("L")).astype(np.float64)
    ground = _ground(gray)
    plain = np.abs(gray - ground) < NEAR
    coloured = _of_another_hue(seen, plain)
    share, evenness = plain.mean(), _evenness(ground)
    has_ground = (share >= PLAIN and evenness >= EVEN) or (
        share >= VERY_PLAIN and evenness >= LIT_FROM_A_SIDE
    )
    return Kind(
        is_drawing=bool(has_ground and _inside(coloured).mean() < FILLED),
        has_colour=bool(coloured.mean() >= IN_COLOUR),
    )


def _small(pixels: UInt8Array) -> UInt8Array:
    """The picture averaged down until its shorter side is GLANCE, if it is larger."""
    height, width = pixels.shape[:2]
    shrink = min(height, width) / GLANCE
    if shrink <= 1:
        return pixels
    size = round(width / shrink), round(height / shrink)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


def _ground(gray: FloatArray) -> FloatArray:
    """The level of the ground at each pixel: a quadratic surface through most of the picture.

    It starts from the median of the border and is fitted to what lies near it, ever nearer, so
    that ink has no part in it.
    """
    height, width = gray.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    border = np.concatenate((gray[0], gray[-1], gray[:, 0], gray[:, -1]))
    ground: FloatArray = np.full_like(gray, np.median(border))
    for near in (64, 48, 32, NEAR, NEAR):
        chosen = np.abs(gray - ground) < near
        known = terms[chosen]  # (n, 6)
        factors = np.linalg.lstsq(known.T @ known, known.T @ gray[chosen], rcond=None)[0]
        ground = terms @ factors
    return ground


def _evenness(ground: FloatArray) -> float:
    """The dimmest level over the brightest, of the surface or of its negative: at most 1."""
    low, high = float(ground.min()), float(ground.max())
    return max(low / max(high, 1), (255 - high) / max(255 - low, 1))


def _of_another_hue(pixels: UInt8Array, plain: BoolArray) -> BoolArray:
    """Which pixels have another colour than the ground, (height, width)."""
    levels = pixels.astype(np.int32)
    hue = levels[..., :2] - levels[..., 1:]  # R - G and G - B
    of_ground = np.median(hue[plain], axis=0) if plain.any() else np.zeros(2)
    away: BoolArray = np.abs(hue - of_ground).sum(axis=-1) > OTHER_HUE
    return away


def _inside(mask: BoolArray) -> BoolArray:
    """The mask without what lies at its edge, so that lines vanish from it."""
    shrunk = Image.fromarray(mask.astype(np.uint8)).filter(ImageFilter.MinFilter(3))
    return np.asarray(shrunk) > 0
