"""Pixels -> pictures: tiles, numbers as colours, PNG data URIs."""

import base64
import io

import numpy as np
from PIL import Image

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.plots.drawing import COLORS

AGAINST, FOR = COLORS[0], COLORS[1]
"""Blue below 0, orange above."""


def tile(image: UInt8Array, side: int) -> UInt8Array:
    """The picture in RGB, its longer side scaled to `side` by repeating or dropping pixels.

    Args:
        image: pixels, uint8, (height, width, channels), 1 or 3 channels.
        side: pixels.

    Returns:
        uint8, at most (side, side, 3).
    """
    longer = max(image.shape[:2])
    rows, columns = (
        np.arange(size * side // longer or 1) * longer // side for size in image.shape[:2]
    )
    picked = image[rows][:, columns]
    return np.broadcast_to(picked, (*picked.shape[:2], 3))


def diverging(values: FloatArray) -> UInt8Array:
    """White at 0, orange above and blue below, (height, width) -> (height, width, 3)."""
    return _tinted(values, np.full((*values.shape, 3), 255.0))


def overlay(values: FloatArray, pixels: UInt8Array) -> UInt8Array:
    """The values in colour over the picture as a pale shadow, (height, width, 3).

    Args:
        values: (height, width).
        pixels: (height, width, channels).
    """
    shadow = 255 - pixels.mean(axis=2, keepdims=True) / 4
    return _tinted(values, np.repeat(shadow, 3, axis=2))


def picture_uri(image: UInt8Array) -> str:
    """The data URI of a PNG.

    Args:
        image: pixels, uint8, (height, width, channels), 1 or 3 channels.
    """
    return data_uri(Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image))


def data_uri(image: Image.Image, **options: int | tuple[int, int, int]) -> str:
    """The data URI of a PNG.

    Args:
        image: of any mode that a PNG can hold.
        options: of Pillow's PNG writer.
    """
    stream = io.BytesIO()
    image.save(stream, "PNG", **options)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def _tinted(values: FloatArray, ground: FloatArray) -> UInt8Array:
    """The ground mixed with a colour by the sign of each value, as strongly as its size says."""
    strength = np.abs(values)
    # The few largest would leave the others pale.
    largest = np.quantile(strength[strength > 0], 0.98) if strength.any() else 1.0
    share = np.minimum(strength / largest, 1)[..., None]
    color = np.where((values > 0)[..., None], _rgb(FOR), _rgb(AGAINST))
    return (ground + share * (color - ground)).astype(np.uint8)


def _rgb(color: str) -> FloatArray:
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], np.float64)
