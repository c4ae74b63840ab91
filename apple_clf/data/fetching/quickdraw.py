"""Quick, Draw!: the publisher's bitmaps, or its strokes drawn here. No checksums are published."""

import io
import json
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import quote

import numpy as np
from PIL import Image, ImageDraw

from apple_clf.arrays import UInt8Array
from apple_clf.config.schema import QuickDrawData
from apple_clf.data.fetching.downloads import Downloads
from apple_clf.errors import DataError
from apple_clf.io.files import printable

LICENCE: Final = "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/"
CITATION: Final = (
    "The Quick, Draw! Dataset, Google, https://github.com/googlecreativelab/quickdraw-dataset"
)

BITMAPS = "https://storage.googleapis.com/quickdraw_dataset/full/numpy_bitmap/{}.npy"
STROKES = "https://storage.googleapis.com/quickdraw_dataset/full/simplified/{}.ndjson"

SIDE = 28  # of a published bitmap
HEADER_BYTES = 1024  # more than the header of any .npy file with one array of numbers
DRAWING_BYTES = 1000  # more than most drawings take as a line of strokes

CANVAS = 304  # the 256 of the strokes, and 24 on each side, as Google draws its bitmaps
STROKE_WIDTH = 16  # on that canvas, as theirs
FINENESS = 4  # pixels that are averaged to one, each way

Strokes = Sequence[Sequence[Sequence[int]]]  # for each stroke its x and its y, 0 to 255


def drawings(config: QuickDrawData, downloads: Downloads) -> Iterator[tuple[str, UInt8Array]]:
    """Class and picture of each drawing asked for; fewer of a class that has not as many.

    Pictures are light on dark, uint8 of shape (size, size).

    Raises:
        DataError: a file cannot be had or is no such file.
        FileSystemError: it cannot be written.
    """
    for name in config.classes:
        if config.form == "bitmaps":
            pictures = _bitmaps(name, config.per_class, downloads)
        else:
            pictures = (draw(strokes, config.size) for strokes in _strokes(name, config, downloads))
        for picture in pictures:
            yield name, picture


def _bitmaps(name: str, n: int, downloads: Downloads) -> Iterator[UInt8Array]:
    """The first n bitmaps of a class; no more of its file is downloaded than they need."""
    n_bytes = HEADER_BYTES + n * SIDE * SIDE
    url = BITMAPS.format(quote(name))
    with downloads.file(url, name=f"{name}-{n}.npy", n_bytes=n_bytes) as received:
        pictures = read_bitmaps(received.path.read_bytes(), n, where=received.url)
    yield from pictures


def read_bitmaps(content: bytes, n: int, *, where: str) -> UInt8Array:
    """The first n pictures of the start of an .npy file, uint8, (n or fewer, 28, 28).

    Nothing but plain bytes is ever read from it, no pickle.

    Raises:
        DataError: it holds something else, or is cut off before n pictures.
    """
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = read(file)
    except (ValueError, EOFError) as error:
        raise _damaged(where, "it is no .npy file") from error
    if dtype != np.uint8 or len(shape) != 2 or shape[1] != SIDE * SIDE or is_fortran:
        raise _damaged(where, f"it holds {dtype} of shape {shape}, not rows of {SIDE * SIDE} bytes")
    n = min(n, shape[0])
    if len(content) < file.tell() + n * SIDE * SIDE:
        raise _damaged(where, "it ends too early")
    pixels = np.frombuffer(content, np.uint8, n * SIDE * SIDE, file.tell())
    return pixels.reshape(n, SIDE, SIDE)


def _strokes(name: str, config: QuickDrawData, downloads: Downloads) -> list[Strokes]:
    """The first drawings of a class that are asked for; only about as much as they need comes."""
    n, n_bytes = config.per_class, config.per_class * DRAWING_BYTES
    url = STROKES.format(quote(name))
    while True:
        with downloads.file(url, name=f"{name}-{n_bytes}.ndjson", n_bytes=n_bytes) as received:
            content = received.path.read_bytes()
            is_whole = len(content) < n_bytes
            lines = content.split(b"\n")
            found = read_strokes(lines if is_whole else lines[:-1], where=received.url)
        wanted = [strokes for strokes, ok in found if ok or config.drawings == "all"]
        if len(wanted) >= n or is_whole:
            return wanted[:n]
        n_bytes *= 2


def read_strokes(lines: Sequence[bytes], *, where: str) -> list[tuple[Strokes, bool]]:
    """The strokes of each line of an .ndjson file, and whether the game recognised the drawing.

    Raises:
        DataError: a line is not a drawing.
    """
    found = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                record = json.loads(line)
                strokes, recognized = record["drawing"], record["recognized"]
                if not (strokes and recognized in (True, False) and all(map(_is_stroke, strokes))):
                    raise ValueError
            except (ValueError, LookupError, TypeError, RecursionError) as error:
                raise _damaged(where, f"line {number} is not a drawing") from error
            found.append((strokes, recognized))
    return found


def _is_stroke(stroke: Sequence[Sequence[int]]) -> bool:
    x, y = stroke
    return len(x) == len(y) > 0 and all(type(v) is int and 0 <= v <= 255 for v in (*x, *y))


def draw(strokes: Strokes, size: int) -> UInt8Array:
    """A drawing as its publisher draws it: white on black, centred, antialiased.

    Args:
        strokes: for each its x and its y, whole numbers from 0 to 255.
        size: side of the picture in pixels.

    Returns:
        uint8, (size, size).
    """
    scale = size * FINENESS / CANVAS
    width = STROKE_WIDTH * scale
    offsets = [
        (CANVAS - min(values) - max(values)) / 2
        for values in ([v for stroke in strokes for v in stroke[axis]] for axis in (0, 1))
    ]
    image = Image.new("L", (size * FINENESS, size * FINENESS))
    pen = ImageDraw.Draw(image)
    for xs, ys in strokes:
        points = [
            ((x + offsets[0]) * scale, (y + offsets[1]) * scale)
            for x, y in zip(xs, ys, strict=True)
        ]
        pen.line(points, fill=255, width=max(1, round(width)), joint="curve")
        for x, y in (points[0], points[-1]):  # round ends, and a dot where there is one point
            pen.circle((x, y), width / 2, fill=255)
    return np.asarray(image.reduce(FINENESS))


def _damaged(where: str, cause: str) -> DataError:
    return DataError(
        f"{printable(where)}: what came is damaged: {cause}. Fetch it again; "
        "if it stays so, the server has another file there."
    )
