"""What a picture shows inside its frame: the bars, borders and plain background cut off.

Two different photos in one letterbox, or two objects on white, share most of their pixels. They are
compared by what is left once every outer row and column of one colour is gone.

Not seen: frames with a pattern, a text or a picture of their own, and frames that run all around
in a gradient; such pairs are told apart by `likeness` alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from apple_clf.arrays import BoolArray, FloatArray, IntArray, UInt8Array

SIDE = 32  # contents are brought to this size
PLAIN = 24 / 255
"""Of the levels that a picture spans; a row that spans no more is of one colour, but for noise."""

LEAST_PLAIN = 8  # gray levels; JPEG noise spans as much in any picture
CORNER = 2  # pixels at the ends of a row that are not looked at: two frames blend there
MIN_SIDE = 8  # pixels; nothing smaller is cut out
SLIMMEST = 3  # times as long as wide, at most; slimmer contents keep some background
MAX_FRAMES = 8  # one inside the other, each blurred edge counting as one
CHUNK = 512


@dataclass(frozen=True)
class Contents:
    """What pictures show inside their frames."""

    gray: UInt8Array  # (n, SIDE, SIDE), stretched to a square
    shapes: FloatArray  # (n,), log of height over width before that
    colours: FloatArray  # (n, 2), mean blue and red difference (Cb, Cr), 0 for gray
    shares: FloatArray  # (n,), longer side of the content over that of the picture
    in_colour: bool  # whether the pictures have three channels


def find_contents(images: UInt8Array) -> Contents:
    """Contents of pictures.

    Args:
        images: whole pictures, uint8, (n, height, width, channels), channels 1 or 3.
    """
    boxes = content_boxes(images)
    gray = np.empty((len(images), SIDE, SIDE), np.uint8)
    colours = np.zeros((len(images), 2), np.float32)
    for i, (image, (top, left, bottom, right)) in enumerate(zip(images, boxes, strict=True)):
        picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
        large = min(bottom - top, right - left) >= SIDE
        way = Image.Resampling.BOX if large else Image.Resampling.BICUBIC
        content = picture.crop((left, top, right, bottom)).resize((SIDE, SIDE), way)
        gray[i] = np.asarray(content.convert("L"))
        if image.shape[2] == 3:
            colours[i] = np.asarray(content.convert("YCbCr"))[..., 1:].mean(axis=(0, 1)) - 128
    top, left, bottom, right = boxes.T
    height, width = bottom - top, right - left
    shares = np.maximum(height, width) / max(images.shape[1:3])
    return Contents(gray, np.log(height / width), colours, shares, images.shape[3] == 3)


def content_boxes(images: UInt8Array) -> IntArray:
    """Top, left, bottom and right of what is not a frame, int64, (n, 4); all of a plain picture.

    Outer rows and columns of one colour are cut off, again and again, for a frame may lie in
    another; each side may have a colour of its own.

    Args:
        images: whole pictures, uint8, (n, height, width, channels).
    """
    height, width = images.shape[1:3]
    boxes = np.tile(np.array([0, 0, height, width]), (len(images), 1))
    for start in range(0, len(images), CHUNK):
        chunk = slice(start, start + CHUNK)
        boxes[chunk] = _boxes(images[chunk])
    return _widened(boxes, height=height, width=width)


def _boxes(images: UInt8Array) -> IntArray:
    height, width = images.shape[1:3]
    boxes = np.tile(np.array([0, 0, height, width]), (len(images), 1))
    growing = np.arange(len(images))
    for _ in range(MAX_FRAMES):
        inner = _one_frame_less(images[growing], boxes[growing])
        large = np.minimum(inner[:, 2] - inner[:, 0], inner[:, 3] - inner[:, 1]) >= MIN_SIDE
        changed = large & (inner != boxes[growing]).any(axis=1)
        growing = growing[changed]
        boxes[growing] = inner[changed]
        if not len(growing):
            break
    return boxes


def _one_frame_less(images: UInt8Array, boxes: IntArray) -> IntArray:
    """Boxes without their outermost plain rows and columns, (n, 4)."""
    top, left, bottom, right = boxes.T
    first, last = _varied_span(images, top, bottom, left, right)
    sideways = images.transpose(0, 2, 1, 3)
    first_column, last_column = _varied_span(sideways, left, right, top, bottom)
    return np.column_stack((first, first_column, last, last_column))


def _varied_span(
    images: UInt8Array, start: IntArray, stop: IntArray, left: IntArray, right: IntArray
) -> tuple[IntArray, IntArray]:
    """First row that is not plain, and the one after the last, within boxes, (n,) each.

    The two are equal if all rows are plain.
    """
    rows, columns = np.arange(images.shape[1]), np.arange(images.shape[2])
    looked_at = _within(columns, left + CORNER, right - CORNER)[:, None, :, None]
    highest = np.where(looked_at, images, 0).max(axis=2)
    lowest = np.where(looked_at, images, 255).min(axis=2)  # (n, height, channels)
    spans = images.max(axis=(1, 2, 3)).astype(np.int16) - images.min(axis=(1, 2, 3))
    plain = np.maximum(PLAIN * spans, LEAST_PLAIN)[:, None, None]
    varied = (highest.astype(np.int16) - lowest > plain).any(axis=2)
    varied &= _within(rows, start, stop)
    first = np.where(varied.any(axis=1), varied.argmax(axis=1), start)
    last = np.where(varied.any(axis=1), len(rows) - varied[:, ::-1].argmax(axis=1), start)
    return first, last


def _within(places: NDArray[np.intp], start: IntArray, stop: IntArray) -> BoolArray:
    """Mask of the places from start to stop, (n, n_places)."""
    mask: BoolArray = (places >= start[:, None]) & (places < stop[:, None])
    return mask


def _widened(boxes: IntArray, *, height: int, width: int) -> IntArray:
    """Boxes that are at most SLIMMEST times as long as wide, if there is room, (n, 4)."""
    wide = boxes.copy()
    for start, stop, size in ((0, 2, height), (1, 3, width)):
        longer = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
        missing = np.maximum(-(-longer // SLIMMEST) - (boxes[:, stop] - boxes[:, start]), 0)
        wide[:, start] = np.maximum(boxes[:, start] - missing // 2, 0)
        wide[:, stop] = np.minimum(boxes[:, stop] + (missing + 1) // 2, size)
    return wide
