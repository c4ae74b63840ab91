"""Drawings as bitmaps: faint, dark on light, enlarged, framed, and as the served page sends."""

from collections.abc import Callable
from functools import partial
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

from apple_clf.arrays import FloatArray, UInt8Array
from benchmarks.hands import Strokes, box, redrawn
from benchmarks.supplies import Supplies

PAGE, PAGE_PEN = 280, 10
"""The side of the page's canvas and the width of its lines, in pixels."""
LEVELS = (100, 90, 80, 60, 40)
"""Strength of the ink, in percent."""


def _png(pixels: UInt8Array) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _light_on_dark(drawing: UInt8Array, *, percent: int) -> bytes:
    return _png(_faint(drawing, percent))


def _dark_on_light(drawing: UInt8Array, *, percent: int) -> bytes:
    return _png(255 - _faint(drawing, percent))


def _faint(drawing: UInt8Array, percent: int) -> UInt8Array:
    faint: UInt8Array = np.rint(drawing * (percent / 100)).astype(np.uint8)
    return faint


def _enlarged(drawing: UInt8Array, *, times: int) -> bytes:
    size = (times * drawing.shape[1], times * drawing.shape[0])
    return _png(np.asarray(Image.fromarray(drawing).resize(size, Image.Resampling.BICUBIC)))


def _framed(drawing: UInt8Array) -> bytes:
    """Dark strokes on light, and a dark line of one pixel around."""
    return _png(np.pad(255 - drawing, 1))


def on_page(strokes: Strokes, supplies: Supplies, rng: np.random.Generator) -> bytes:
    """A PNG as the served page sends it: 280x280, strokes of 10 pixels, white on black.

    Source: apple_clf/web/page/pad.js.
    """
    strokes = redrawn(strokes, rng, wobble=rng.uniform(*supplies.wobble))
    low, high = box(strokes)
    size = PAGE * rng.uniform(0.45, 0.85)
    free = (PAGE - PAGE_PEN - size * (high - low)) / 2
    middle = PAGE / 2 + rng.uniform(-1, 1, 2) * np.maximum(free, 0)
    times = 4
    image = Image.new("L", (times * PAGE, times * PAGE))
    draw = ImageDraw.Draw(image)
    radius = times * PAGE_PEN / 2
    for stroke in strokes:
        points = [tuple(point) for point in (times * _curve(stroke * size + middle)).tolist()]
        draw.line(points, 255, width=times * PAGE_PEN)
        for x, y in points:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), 255)
    return _png(np.asarray(image.reduce(times).convert("RGBA")))


def _curve(points: FloatArray) -> FloatArray:
    """The page's line through pointer events: quadratic from middle to middle, then straight."""
    middles = (points[1:-2] + points[2:-1]) / 2
    way = [points[:1]]
    start = points[0]
    t = np.linspace(0.25, 1, 4)[:, None]
    for control, end in zip(points[1:-2], middles, strict=True):
        way.append((1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end)
        start = end
    return np.concatenate([*way, points[-2:]])


BITMAPS: dict[str, Callable[[UInt8Array], bytes]] = {
    **{f"ink-dark-{share}": partial(_dark_on_light, percent=share) for share in LEVELS},
    **{f"ink-light-{share}": partial(_light_on_dark, percent=share) for share in LEVELS},
    "enlarged-4": partial(_enlarged, times=4),
    "enlarged-10": partial(_enlarged, times=10),
    "framed": _framed,
}
"""What becomes of a drawing's own pixels, uint8, light on dark; a PNG file."""
