"""Any picture -> the pixels a network sees: the one preprocessing of this package.

Training, evaluation, prediction and serving all call `load` or `prepare`, so they cannot
disagree. The steps are integer arithmetic in NumPy and Pillow: the same file gives the same bytes
on every machine. Change what comes out, and raise PREPROCESSING_VERSION.
"""

from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from apple_clf.arrays import BoolArray, UInt8Array
from apple_clf.images.decoding import Channels, Decoded, decode
from apple_clf.images.levels import spread_levels
from apple_clf.images.preprocessing import ColorMode, Polarity, Preprocessing

SPARE = {"stretch": 4, "pad": 4, "crop": 4, "center": 8}
"""How many times the target's size a large photo keeps when decoded. Four leave the resampling
nothing to miss; center has twice that, for a drawing may fill only part of the page."""

MIN_CONTRAST = 16
"""Gray levels; what differs less from the background is paper or noise, not a drawing."""

MAX_ZOOM = 16
"""Longest side that center searches, in target sizes; a picture of 1x20,000 is scaled first."""

SMALL = 2
"""Target sizes on the longer side up to which the reader "auto" takes a picture for a bitmap."""

TINY = 2
"""Times smaller than the target, a picture is too small to hold a drawing. It is not enlarged, or
noise would become strokes."""

READABLE = 480
"""Pixels that a large photo keeps on its shorter side where a drawing is looked for in it."""

FILTER = Image.Resampling.BICUBIC
"""Of Pillow's antialiased filters those as sharp as this one brought QuickDraw drawings that were
enlarged closest to their originals; BILINEAR blurs, LANCZOS rings."""


@dataclass(frozen=True)
class Loaded:
    """One prepared picture.

    Attributes:
        pixels: uint8, (height, width, channels).
        note: what the caller should know though the picture is usable, or None.
        frame: top, left, height and width of what the pixels show, in shares of the picture's
            height and width; it may reach beyond the picture.
        steps: what was done to the picture to read the drawing in it, a phrase each, in order,
            such as "3 ruled lines removed".
        largest: value in a gray picture of 16 bits, as the file has it; 0 for any other picture.
    """

    pixels: UInt8Array
    note: str | None
    frame: tuple[float, float, float, float]
    steps: tuple[str, ...] = ()
    largest: int = 0


def load(source: Path | str | bytes, contract: Preprocessing) -> Loaded:
    """The first picture of a file as a network sees it.

    Args:
        source: a file, or the bytes of one.
        contract: the preprocessing stored with the model.

    Returns:
        Pixels of shape contract.shape, uint8.

    Raises:
        ImageError: the file holds no usable picture; the message does not name the file.
    """
    decoded = read(source, contract)
    prepared = _prepare(decoded.pixels, contract)
    top, left, *size = prepared.frame
    height, width = decoded.pixels.shape[:2]
    frame = top / height, left / width, size[0] / height, size[1] / width
    return Loaded(prepared.pixels, decoded.note, frame, prepared.steps, largest=decoded.largest)


def read(source: Path | str | bytes, contract: Preprocessing) -> Decoded:
    """The first picture of a file, as large as `prepare` needs it: the first half of `load`.

    Whoever loads many files reads a number of them and then prepares them: each half keeps its own
    code and tables in the processor's caches, which saves a seventh of the time.

    Args:
        source: a file, or the bytes of one.
        contract: the preprocessing stored with the model.

    Raises:
        ImageError: the file holds no usable picture; the message does not name the file.
    """
    if contract.reads_drawings and contract.reader != "bitmap":
        channels: Channels = "as_stored"
        min_side = max(READABLE, _small(contract))
    else:
        channels, min_side = contract.color_mode, SPARE[contract.resize] * max(contract.image_size)
    return decode(source, color_mode=channels, min_side=min_side, max_value=contract.max_value)


def prepare(pixels: UInt8Array, contract: Preprocessing) -> UInt8Array:
    """A picture as a network sees it: first the colours, then light on dark, then the size.

    The background is the median of the outermost rows and columns, of luma if there are colours.

    Polarity. as_is and light_on_dark change nothing, dark_on_light inverts. auto inverts if the
    cubes of (gray - background) sum to less than 0, so that few strong strokes outweigh a broad
    faint shadow, and then makes the background black: the levels above it are spread over 0 to
    255, at most twofold. For gray pictures prepare(x) equals prepare(255 - x), but where the
    background is exactly 127.5 and the cubes sum to exactly 0; in colour luma may round
    differently. A drawing that covers most of the border is taken for the background.

    Resize. stretch scales each side by itself. pad scales the whole picture until it fits and
    centres it. crop scales until the target is covered and keeps the middle. center takes for
    the drawing all that differs from the background by more than a quarter of the largest
    difference, without the outermost pixels on each side, a fiftieth of the longer side in
    number, for they may be specks. The drawing is scaled to 26/28 of the target, as QuickDraw
    drawings are, and its box is centred; within a tenth of that size it is only moved and stays
    sharp. A picture that nowhere differs by MIN_CONTRAST is padded. Outside of the picture the
    background goes on. Pillow resamples with antialiasing, in whole numbers.

    Args:
        pixels: uint8, (height, width), or (height, width, channels) with 1 or 3 channels.
        contract: the preprocessing stored with the model.

    Returns:
        uint8 of shape contract.shape; it may share memory with pixels.

    Raises:
        ValueError: pixels has another type or shape, or no pixel.
    """
    return _prepare(pixels, contract).pixels


Frame = tuple[float, float, float, float]
"""Top, left, height and width of what a result shows, in pixels of what it was made of."""


class _Prepared(NamedTuple):
    pixels: UInt8Array
    frame: Frame
    steps: tuple[str, ...] = ()


def _prepare(pixels: UInt8Array, contract: Preprocessing) -> _Prepared:
    """As `prepare`, what of the picture is seen, and how a drawing was read."""
    _check_pixels(pixels)
    if not contract.reads_drawings:
        return _as_it_is(pixels, contract)
    is_bitmap = max(pixels.shape[:2]) <= _small(contract)
    if contract.reader == "bitmap" or (contract.reader == "auto" and is_bitmap):
        return _bitmap(pixels, contract)
    from apple_clf.images.paper import find_drawing  # most pictures in a training are bitmaps

    found = find_drawing(pixels, contract.image_size, polarity=contract.polarity)
    if found is None:
        return _as_it_is(pixels, contract)._replace(steps=(NO_DRAWING,))
    return _Prepared(found.pixels.reshape(contract.shape), found.frame, found.steps)


def _bitmap(pixels: UInt8Array, contract: Preprocessing) -> _Prepared:
    """The picture without a frame, its strokes at full strength."""
    width = _frame_width(_in_channels(pixels, "grayscale"))
    inner = slice(width, -width or None)
    drawn, (top, left, *size), _ = _as_it_is(pixels[inner, inner], contract)
    height, across = size
    return _Prepared(spread_levels(drawn), (top + width, left + width, height, across))


def _frame_width(gray: UInt8Array) -> int:
    """Pixels of a plain frame around a picture, at most a tenth of its shorter side.

    A frame has another level than most of the picture; a margin around a drawing has the same.
    """
    ground = int(np.median(gray))
    widest = int(min(gray.shape)) // 10
    for width in range(widest):
        ring = _ring(gray, width)
        if np.ptp(ring) > PLAIN or abs(int(ring[0]) - ground) < FRAME_STEP:
            return width
    return widest


PLAIN, FRAME_STEP = 8, 64
"""Gray levels that a frame varies by at most, and differs from what it surrounds by at least."""


def _ring(gray: UInt8Array, nth: int) -> UInt8Array:
    """The pixels that are so many pixels from the border."""
    end = -1 - nth
    rows, columns = gray[nth : end + 1 or None], gray[:, nth : end + 1 or None]
    return np.concatenate((columns[nth], columns[end], rows[:, nth], rows[:, end]))


NO_DRAWING = "no drawing found: the picture is used as it is"


def _small(contract: Preprocessing) -> int:
    return SMALL * max(contract.image_size)


def _as_it_is(pixels: UInt8Array, contract: Preprocessing) -> _Prepared:
    """The picture itself: colours, polarity, size."""
    pixels = _in_channels(pixels, contract.color_mode)
    gray = _luma(pixels)
    doubled = _doubled_background(gray)
    if _is_inverted(gray, doubled, contract.polarity):
        pixels, doubled = ~pixels, 510 - doubled
    background = doubled // 2
    if contract.polarity == "auto" and background:
        pixels, background = _black_level(background)[pixels], 0
    size, frame = contract.image_size, _whole(pixels)
    if contract.reads_drawings and TINY * max(pixels.shape) < max(size):
        corner = (pixels.shape[0] - size[0]) // 2, (pixels.shape[1] - size[1]) // 2
        pixels, frame = _window(pixels, corner, size, background), (*corner, *size)
    elif contract.resize == "center":
        pixels, frame = _center(pixels, size, background)
    elif contract.resize == "pad":
        pixels, frame = _pad(pixels, size, background)
    elif contract.resize == "crop":
        pixels, frame = _crop(pixels, size)
    else:
        pixels = _stretch(pixels, size)
    return _Prepared(pixels.reshape(contract.shape), frame)


def _whole(pixels: UInt8Array) -> Frame:
    return 0, 0, pixels.shape[0], pixels.shape[1]


def _check_pixels(pixels: UInt8Array) -> None:
    usable = pixels.ndim > 1 and pixels.shape[2:] in ((), (1,), (3,)) and pixels.size > 0
    if pixels.dtype != np.uint8 or not usable:
        raise ValueError(f"pixels must be uint8 images, not {pixels.dtype} of {pixels.shape}")


def _in_channels(pixels: UInt8Array, color_mode: ColorMode) -> UInt8Array:
    """(height, width) for grayscale, (height, width, 3) for rgb."""
    if pixels.shape[2:] == (1,):
        pixels = pixels[:, :, 0]
    if color_mode == "grayscale":
        return _luma(pixels)
    return pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)


def _luma(pixels: UInt8Array) -> UInt8Array:
    """ITU-R 601 luma of RGB, gray as it is."""
    return pixels if pixels.ndim == 2 else np.asarray(Image.fromarray(pixels).convert("L"))


def _doubled_background(gray: UInt8Array) -> int:
    """Twice the median of the outermost rows and columns, a whole number therefore."""
    border = np.concatenate((gray[0], gray[-1], gray[:, 0], gray[:, -1]))
    border.sort()
    middle = border.size // 2  # the size is even
    return int(border[middle - 1]) + int(border[middle])


def _is_inverted(gray: UInt8Array, doubled_background: int, polarity: Polarity) -> bool:
    """Whether a picture must be inverted to be light on dark."""
    if polarity != "auto":
        return polarity == "dark_on_light"
    if doubled_background in (0, 510):  # nothing is darker, nothing lighter
        return doubled_background == 510
    difference = 2 * gray.astype(np.int32) - doubled_background
    skew = int(np.sum(difference**3, dtype=np.int64))
    return skew < 0 or (skew == 0 and doubled_background > 255)


def _black_level(background: int) -> UInt8Array:
    """A new level for each of 256: the background and what is darker become 0, white stays."""
    above = np.maximum(np.arange(256) - background, 0)
    return (above * 255 // max(255 - background, 128)).astype(np.uint8)


def _stretch(pixels: UInt8Array, size: tuple[int, int]) -> UInt8Array:
    if pixels.shape[:2] == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size[::-1], FILTER))


def _crop(pixels: UInt8Array, size: tuple[int, int]) -> tuple[UInt8Array, Frame]:
    height, width = pixels.shape[:2]
    scale = min(height / size[0], width / size[1])
    y, x = (height - size[0] * scale) / 2, (width - size[1] * scale) / 2
    if x == y == 0:
        return _stretch(pixels, size), (0, 0, height, width)
    box = (x, y, width - x, height - y)
    cropped = np.asarray(Image.fromarray(pixels).resize(size[::-1], FILTER, box=box))
    return cropped, (y, x, height - 2 * y, width - 2 * x)


def _pad(pixels: UInt8Array, size: tuple[int, int], background: int) -> tuple[UInt8Array, Frame]:
    before = pixels.shape
    scale = min(size[0] / before[0], size[1] / before[1])
    height, width = max(1, round(before[0] * scale)), max(1, round(before[1] * scale))
    corner = (height - size[0]) // 2, (width - size[1]) // 2
    padded = _window(_stretch(pixels, (height, width)), corner, size, background)
    return padded, _enlarged((*corner, *size), before[0] / height, before[1] / width)


def _center(pixels: UInt8Array, size: tuple[int, int], background: int) -> tuple[UInt8Array, Frame]:
    shrink = max(pixels.shape) / (MAX_ZOOM * max(size))
    if shrink > 1:
        before = pixels.shape
        height, width = (max(1, round(side / shrink)) for side in before[:2])
        pixels, frame = _center(_stretch(pixels, (height, width)), size, background)
        return pixels, _enlarged(frame, before[0] / height, before[1] / width)
    box = _drawing(_luma(pixels), background)
    if box is None:
        return _pad(pixels, size, background)
    top, left, bottom, right = box
    inner = [(13 * side + 7) // 14 for side in size]  # 26/28, rounded
    zoom = max((bottom - top) / inner[0], (right - left) / inner[1])
    if 0.9 < zoom < 1.1:
        corner = (top + bottom - size[0]) // 2, (left + right - size[1]) // 2
        return _window(pixels, corner, size, background), (*corner, *size)
    height, width = size[0] * zoom, size[1] * zoom
    y, x = (top + bottom - height) / 2, (left + right - width) / 2
    frame = y, x, height, width
    corner = floor(y), floor(x)
    whole = ceil(y + height) - corner[0], ceil(x + width) - corner[1]
    window = Image.fromarray(_window(pixels, corner, whole, background))
    y, x = y - corner[0], x - corner[1]
    part = (x, y, min(whole[1], x + width), min(whole[0], y + height))
    return np.asarray(window.resize(size[::-1], FILTER, box=part)), frame


def _enlarged(frame: Frame, down: float, across: float) -> Frame:
    """The frame in pixels of a picture that is so many times as high and wide."""
    top, left, height, width = frame
    return top * down, left * across, height * down, width * across


def _drawing(gray: UInt8Array, background: int) -> tuple[int, int, int, int] | None:
    """Top, left, bottom and right of what is not background, None if all of it is."""
    difference = np.abs(gray.astype(np.int16) - background) if background else gray
    peak = int(difference.max())
    if peak < MIN_CONTRAST:
        return None
    mask = difference > peak // 4
    specks = min(max(mask.shape) // 50, np.count_nonzero(mask) // 20)
    top, bottom = _span(mask, specks)
    left, right = _span(mask.T, specks)
    return top, left, bottom, right


def _span(mask: BoolArray, specks: int) -> tuple[int, int]:
    """First row, and the one after the last, with the outermost specks left out."""
    width = mask.shape[1]
    if specks == 0:  # thrice as fast for small pictures
        flat = mask.tobytes()
        return flat.find(1) // width, flat.rfind(1) // width + 1
    places = np.flatnonzero(mask)
    return int(places[specks]) // width, int(places[-1 - specks]) // width + 1


def _window(
    pixels: UInt8Array, corner: tuple[int, int], size: tuple[int, int], background: int
) -> UInt8Array:
    """What a window of (height, width) shows whose (top, left) corner may lie outside."""
    (top, left), (height, width) = corner, size
    inside = pixels[max(0, top) : top + height, max(0, left) : left + width]
    y, x = max(0, -top), max(0, -left)
    window = np.full(size + pixels.shape[2:], background, np.uint8)
    window[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
    return window
