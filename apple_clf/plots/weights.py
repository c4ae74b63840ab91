"""The first layer's weights as pictures: as arrays, and as sheets of all units."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from apple_clf.arrays import FloatArray
from apple_clf.plots.pixels import data_uri

LEVELS = 33  # of a weight's colour: enough to see, and half the bytes of 256
NEGATIVE, ZERO, POSITIVE = (11, 79, 138), (246, 246, 244), (184, 72, 8)
UNITS_A_ROW = 8
MAX_SIDE, MAX_SIDE_RGB = 32, 20  # pixels of a unit, or sixteen sheets would fill a megabyte
GAP = 1
NO_LEVEL = (1, 2, 3)  # a colour that no weight has


def unit_pictures(
    weights: FloatArray | NDArray[np.float16], shape: tuple[int, ...]
) -> FloatArray | None:
    """The weights by unit, a view, (n_units, rows, columns, channels), or None.

    None: the weights are not those of pixels, as after a pooling layer or other filters.

    Args:
        weights: of a dense layer, (n_pixels, n_units), or of a convolution, (height, width,
            channels, n_units).
        shape: height, width and channels of the images.
    """
    if weights.ndim == 2 and weights.shape[0] == math.prod(shape):
        weights = weights.reshape(*shape, -1)
    if weights.ndim != 4 or weights.shape[2] != shape[2]:
        return None
    units: FloatArray = np.moveaxis(weights, 3, 0)
    return units


def thumbnails(units: FloatArray) -> NDArray[np.float32]:
    """The units small enough for a sheet, (n_units, rows, columns, 1 or 3).

    Of channels other than 1 or 3 the mean is shown; large pictures are averaged down.

    Args:
        units: as of `unit_pictures`; what is not finite is replaced by a finite number.
    """
    small = np.nan_to_num(units.astype(np.float32))
    if small.shape[3] not in {1, 3}:
        small = small.mean(axis=3, keepdims=True)
    return _small(small)


def sheet_uris(snapshots: Sequence[NDArray[np.float32]]) -> list[str]:
    """Data URIs of a PNG a snapshot: all units side by side, in colours that mean the same in all.

    Gray weights go from blue, below 0, to orange; those of colours are shown in these colours.

    Args:
        snapshots: (n_units, height, width, 1 or 3) each.
    """
    sizes = np.abs(np.concatenate([snapshot.ravel() for snapshot in snapshots]))
    limit = float(np.quantile(sizes, 0.995)) or 1.0
    return [_sheet(snapshot, limit) for snapshot in snapshots]


def _small(units: NDArray[np.float32]) -> NDArray[np.float32]:
    """The units, averaged down where they are large."""
    height, width, channels = units.shape[1:]
    most = MAX_SIDE if channels == 1 else MAX_SIDE_RGB
    factor = math.ceil(max(height, width) / most)
    if factor == 1:
        return units
    rows, columns = (-(-side // factor) for side in (height, width))
    padding = ((0, 0), (0, rows * factor - height), (0, columns * factor - width), (0, 0))
    padded = np.pad(units, padding, mode="edge")
    blocks = padded.reshape(len(units), rows, factor, columns, factor, channels)
    smaller: NDArray[np.float32] = blocks.mean(axis=(2, 4))
    return smaller


def _sheet(units: NDArray[np.float32], limit: float) -> str:
    n, height, width, channels = units.shape
    columns = min(UNITS_A_ROW, n)
    rows = -(-n // columns)
    middle = (LEVELS - 1) // 2
    codes = np.rint(np.clip(units / limit, -1, 1) * middle + middle).astype(np.uint8)
    sheet = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, channels), LEVELS)
    for i, unit in enumerate(codes):
        top, left = i // columns * (height + GAP), i % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = unit
    sheet = sheet.astype(np.uint8)
    if channels == 3:
        levels = np.where(sheet == LEVELS, NO_LEVEL, sheet * (255 / (LEVELS - 1)))
        return data_uri(Image.fromarray(levels.astype(np.uint8)), transparency=NO_LEVEL)
    image = Image.fromarray(sheet[:, :, 0])
    image.putpalette(_palette())
    return data_uri(image, transparency=LEVELS)


def _palette() -> list[int]:
    """Colours from negative by zero to positive, and one more for gaps."""
    middle = (LEVELS - 1) // 2
    ways = np.linspace(0, 1, middle + 1)[:, None]
    falling = np.array(ZERO) * (1 - ways) + np.array(NEGATIVE) * ways
    rising = np.array(ZERO) * (1 - ways) + np.array(POSITIVE) * ways
    colours = np.concatenate([falling[:0:-1], rising, [[0, 0, 0]]])
    return [int(value) for value in colours.round().ravel()]
