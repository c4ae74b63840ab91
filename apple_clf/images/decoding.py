"""Bytes of an image file -> an upright 8-bit array, or the reason why not.

Everything here assumes that a file may be anything: the format is told by content, only regular
files are opened, sizes are checked before pixels are decoded, and a file that was cut short is
refused even where Pillow would show the part it has. Which pixels a network then sees is decided
in `images`.
"""

import os
import stat
import struct
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from apple_clf.arrays import UInt8Array
from apple_clf.errors import ImageError
from apple_clf.images.completeness import TRUNCATED, count_frames
from apple_clf.images.preprocessing import RANGES

_Opener = Callable[[BytesIO, str], Image.Image]

MAX_BYTES = 2**28
"""Of a file: 256 MiB."""

MAX_PIXELS = MAX_BYTES // 3
"""89 megapixels: what fits MAX_BYTES as 8-bit RGB. Photos of 50 megapixels pass, and a file of a
few kilobytes cannot ask for more memory than a large honest one. Pillow warns above the same."""

FULL_RANGE = RANGES[-1]

LONGEST_SIDE = 65_535
"""In pixels: the most that JPEG can say. Resampling a line of millions would take seconds."""


@dataclass(frozen=True)
class Decoded:
    """One picture out of a file.

    Attributes:
        pixels: uint8, (height, width) gray or (height, width, 3) RGB, upright.
        note: what the caller should know though the picture is usable, "first of 12 frames".
        largest: value in a gray picture of 16 bits, as the file has it; 0 for any other picture.
    """

    pixels: UInt8Array
    note: str | None
    largest: int = 0


Channels = Literal["grayscale", "rgb", "as_stored"]
"""as_stored: gray where the file holds gray or is no larger than min_side, RGB elsewhere."""


def decode(
    source: Path | str | bytes,
    *,
    color_mode: Channels,
    min_side: int,
    max_value: int | None = None,
) -> Decoded:
    """The first picture of a file, upright, 8 bits a channel, without transparency.

    Gray is ITU-R 601 luma. Transparent parts lie on white. 16-bit gray is scaled so that max_value
    is white; 16-bit colour keeps its high byte, as Pillow reads it. EXIF orientation is applied,
    colour profiles are not. A large picture is shrunk by the largest whole number that leaves
    min_side on both sides, a JPEG first inside the decoder by 2, 4 or 8, which makes a photo of 12
    megapixels four times as fast.

    Args:
        source: a regular file, or the bytes of one.
        color_mode: the channels wanted.
        min_side: pixels, at least 1, that shrinking leaves on each side.
        max_value: white in 16-bit gray; None is 65535. Values above it are white too.

    Returns:
        The pixels, with a note if the file holds more frames than the one, or values above
        max_value.

    Raises:
        ImageError: the file cannot be read, is not a JPEG, PNG, BMP, GIF, WEBP or TIFF, is too
            large, truncated or corrupt. The message is the reason and does not name the file.
    """
    data = source if isinstance(source, bytes) else read_file(source)
    kind = _sniff(data)
    largest = 0
    try:
        n_frames = count_frames(data, kind)
        image: Image.Image = _plugin(kind)(BytesIO(data), "")
        _refuse_large(image.size)
        mode = "L" if color_mode == "grayscale" or _is_gray(image, color_mode, min_side) else "RGB"
        image.draft(mode, (min_side, min_side))
        image.load()
        turn = _TURNS.get(_orientation(image))
        if image.mode.startswith("I"):
            image, largest = _eight_bits(image, max_value or FULL_RANGE)
        image = _flatten(image, mode)
        if (factor := min(image.size) // min_side) > 1:
            image = image.reduce(factor)
        if turn is not None:
            image = image.transpose(turn)
        pixels = np.asarray(image)
    except ImageError:
        raise
    except Exception as error:  # decoders raise anything
        raise ImageError(_reason(error, kind)) from error
    notes = [f"first of {n_frames} frames"] if n_frames > 1 else []
    if largest > (max_value or FULL_RANGE):
        notes.append(f"values up to {largest} were clipped to {max_value}, the model's white")
    return Decoded(pixels, "; ".join(notes) or None, largest)


def read_file(path: Path | str) -> bytes:
    """Bytes of a regular file; never waits on a pipe or a device.

    Args:
        path: any path, links are followed.

    Returns:
        The whole file, at most MAX_BYTES.

    Raises:
        ImageError: it is missing, unreadable, no regular file or larger than MAX_BYTES; the
            message is the reason and does not name the file.
    """
    try:
        descriptor = os.open(path, _READ_NOW)
        try:
            info = os.fstat(descriptor)
            if not stat.S_ISREG(info.st_mode):
                kind = "a folder" if stat.S_ISDIR(info.st_mode) else "a pipe, socket or device"
                raise ImageError(f"{kind}, not an image file")
            if info.st_size > MAX_BYTES:
                raise ImageError(f"too large: {info.st_size} bytes; the limit is {MAX_BYTES}")
            return os.read(descriptor, info.st_size)
        finally:
            os.close(descriptor)
    except FileNotFoundError as error:
        raise ImageError("no such file") from error
    except PermissionError as error:
        raise ImageError("no permission to read it") from error
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror}") from error
    except ValueError as error:  # a NUL or an unencodable character in the name
        raise ImageError(f"no file can have this name: {error}") from error


_READ_NOW = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def _sniff(data: bytes) -> str:
    """Format by content: the name of a Pillow plugin."""
    for prefix, kind in _SIGNATURES:
        if data.startswith(prefix) and (kind != "WebP" or data[8:12] == b"WEBP"):
            return kind
    if not data:
        raise ImageError("empty file")
    for prefix, name in _FOREIGN:
        if prefix in data[:12]:
            raise ImageError(f"{name}, not one of JPEG, PNG, BMP, GIF, WEBP, TIFF")
    raise ImageError("not an image: its content is none of JPEG, PNG, BMP, GIF, WEBP, TIFF")


_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "Png"),
    (b"\xff\xd8\xff", "Jpeg"),
    (b"GIF87a", "Gif"),
    (b"GIF89a", "Gif"),
    (b"RIFF", "WebP"),
    (b"II*\0", "Tiff"),
    (b"MM\0*", "Tiff"),
    (b"II+\0", "Tiff"),
    (b"MM\0+", "Tiff"),
    (b"BM", "Bmp"),
)

_FOREIGN = (
    (b"%!PS", "an EPS drawing"),
    (b"%PDF", "a PDF document"),
    (b"8BPS", "a Photoshop file"),
    (b"ftyphei", "a HEIC photo"),
    (b"ftypavif", "an AVIF picture"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML document"),
)


def _plugin(kind: str) -> _Opener:
    """Pillow's opener of one format, imported when first needed.

    `Image.open` would look at every format it knows, and warn of a large picture in place of
    leaving the limit to us; where threads decode, such a warning cannot be silenced safely.
    """
    factory = _PLUGINS.get(kind)
    if factory is None:
        factory = getattr(import_module(f"PIL.{kind}ImagePlugin"), f"{kind}ImageFile")
        _PLUGINS[kind] = factory
    return factory


_PLUGINS: dict[str, _Opener] = {}


def _refuse_large(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS or max(size) > LONGEST_SIDE:
        limit = f"{MAX_PIXELS} in all and {LONGEST_SIDE} a side"
        raise ImageError(f"too large: {width}x{height} pixels; the limit is {limit}")


def _is_gray(image: Image.Image, color_mode: Channels, min_side: int) -> bool:
    """Whether a picture is wanted as it is stored, and stored without colours or small."""
    if color_mode != "as_stored":
        return False
    return image.mode in _GRAY or max(image.size) <= min_side


_GRAY = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"}


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where the file has none."""
    if not image.info:
        return 1
    return int(image.getexif().get(0x0112, 1))


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _flatten(image: Image.Image, mode: str) -> Image.Image:
    """The picture in mode L or RGB, on white where it is transparent."""
    if image.mode == mode and not image.info:
        return image
    if image.mode == "F":
        raise ImageError("floating-point pixels have no known range; save it with 8 or 16 bits")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        paper = Image.new(mode, image.size, "white")
        paper.paste(rgba.convert(mode), mask=rgba.getchannel("A"))
        return paper
    return image if image.mode == mode else image.convert(mode)


def _eight_bits(image: Image.Image, max_value: int) -> tuple[Image.Image, int]:
    """Gray of 16 bits in mode L, with max_value white, and its largest value.

    The full range is read by its high byte, as Pillow reads 16-bit colour.
    """
    values = np.asarray(image)
    largest = int(values.max())
    if values.dtype.itemsize > 2 and (values.min() < 0 or largest > FULL_RANGE):
        raise ImageError("gray values outside 0 to 65535; save it with 8 or 16 bits")
    if max_value == FULL_RANGE:
        gray = (values >> 8).astype(np.uint8)
    else:
        clipped = np.minimum(values, max_value).astype(np.uint32)
        gray = ((clipped * 255 + max_value // 2) // max_value).astype(np.uint8)
    if "transparency" in image.info:
        gray[values == image.info["transparency"]] = 255
    return Image.fromarray(gray), largest


def _reason(error: Exception, kind: str) -> str:
    """One line for what a decoder raised."""
    text = " ".join(str(error).split())[:120]
    if isinstance(error, MemoryError):
        return "not enough memory to decode it"
    if isinstance(error, IndexError | struct.error) or "truncated" in text.lower():
        return TRUNCATED
    return f"corrupt {kind.upper()}: {text or type(error).__name__}"
