"""What a sheet of paper may lie on: wood, stone, cloth."""

from collections.abc import Callable

import numpy as np

from apple_clf.arrays import FloatArray
from benchmarks.pens import Colour, Shape, clouds, grain


def table(kind: str, shape: Shape, rng: np.random.Generator) -> FloatArray:
    """What a sheet may lie on, float32, (height, width, 3)."""
    return TABLES[kind](shape, rng)


def _mixed(share: FloatArray, one: Colour, other: Colour) -> FloatArray:
    share = np.clip(share, 0, 1)[:, :, None]
    return share * np.asarray(one, np.float32) + (1 - share) * np.asarray(other, np.float32)


def _wood(shape: Shape, rng: np.random.Generator, one: Colour, other: Colour) -> FloatArray:
    upright = rng.random() < 0.5
    rows, columns = shape[::-1] if upright else shape
    warp = clouds((rows, columns), (3, 4), rng)
    y = np.arange(rows, dtype=np.float32)[:, None]
    rings = np.sin(2 * np.pi * (y / (rows / rng.uniform(4, 14)) + 0.6 * warp))
    fibres = clouds((rows, columns), (rows // 4, 8), rng)
    share = 0.5 + 0.2 * rings + 0.13 * fibres + 0.04 * grain((rows, columns), rng)
    wood = _mixed(share, one, other)
    if rng.random() < 0.6:
        for seam in np.arange(rng.uniform(0, 0.3), 1, rng.uniform(0.15, 0.35)) * rows:
            wood[int(seam) : int(seam) + max(2, rows // 250)] *= 0.4
            wood[int(seam) :] *= rng.uniform(0.9, 1.1)
    return wood.transpose(1, 0, 2) if upright else wood


def _oak(shape: Shape, rng: np.random.Generator) -> FloatArray:
    return _wood(shape, rng, (0.72, 0.53, 0.34), (0.52, 0.34, 0.19))


def _walnut(shape: Shape, rng: np.random.Generator) -> FloatArray:
    return _wood(shape, rng, (0.42, 0.27, 0.18), (0.22, 0.13, 0.08))


def _pine(shape: Shape, rng: np.random.Generator) -> FloatArray:
    return _wood(shape, rng, (0.86, 0.70, 0.47), (0.70, 0.52, 0.30))


def _cherry(shape: Shape, rng: np.random.Generator) -> FloatArray:
    return _wood(shape, rng, (0.60, 0.30, 0.17), (0.40, 0.18, 0.10))


def _plain(shape: Shape, rng: np.random.Generator) -> FloatArray:
    level = rng.uniform(0.08, 0.3)
    colour = level * rng.uniform(0.85, 1.15, 3).astype(np.float32)
    light = 1 + 0.08 * grain(shape, rng) + 0.05 * clouds(shape, (4, 4), rng)
    picture: FloatArray = light[:, :, None] * colour
    return picture


def _bright(rng: np.random.Generator) -> Colour:
    hues = [(0.75, 0.15, 0.15), (0.15, 0.35, 0.7), (0.15, 0.5, 0.25), (0.9, 0.65, 0.1),
            (0.5, 0.2, 0.5), (0.1, 0.5, 0.55), (0.85, 0.4, 0.15)]  # fmt: skip
    return hues[rng.integers(len(hues))]


def _checked(shape: Shape, rng: np.random.Generator) -> FloatArray:
    """A cloth of crossing stripes."""
    period = shape[1] / rng.uniform(6, 18)
    y, x = (np.arange(side, dtype=np.float32) for side in shape)
    wave = 0.01 * shape[1] * clouds(shape, (3, 3), rng)
    down = (((y[:, None] + wave) / period) % 1 < 0.5).astype(np.float32)
    across = (((x[None, :] + wave) / period) % 1 < 0.5).astype(np.float32)
    cloth = _mixed(0.5 * down + 0.5 * across, _bright(rng), (0.9, 0.88, 0.84))
    return cloth * (1 + 0.06 * grain(shape, rng))[:, :, None]


def _striped(shape: Shape, rng: np.random.Generator) -> FloatArray:
    """A cloth of slanting stripes."""
    angle, period = rng.uniform(0, np.pi), shape[1] / rng.uniform(8, 20)
    y, x = (np.arange(side, dtype=np.float32) for side in shape)
    along = np.cos(angle) * x[None, :] + np.sin(angle) * y[:, None]
    along = along + 0.006 * shape[1] * clouds(shape, (3, 3), rng)
    stripes = ((along / period) % 1 < rng.uniform(0.3, 0.7)).astype(np.float32)
    cloth = _mixed(stripes, _bright(rng), _bright(rng))
    return cloth * (1 + 0.06 * grain(shape, rng))[:, :, None]


def _stone(shape: Shape, rng: np.random.Generator) -> FloatArray:
    """Speckled worktop."""
    specks = clouds(shape, (shape[0] // 8, shape[1] // 8), rng) + 0.6 * grain(shape, rng)
    dark, light = rng.uniform(0.08, 0.3), rng.uniform(0.4, 0.7)
    tint = rng.uniform(0.92, 1.0, 3)
    one, other = tuple((light * tint).tolist()), tuple((dark * tint).tolist())
    return _mixed(0.4 + 0.3 * specks, one, other)


def _dotted(shape: Shape, rng: np.random.Generator) -> FloatArray:
    """An oilcloth with dots."""
    period = shape[1] / rng.uniform(8, 24)
    y, x = (np.arange(side, dtype=np.float32) for side in shape)
    row = np.floor(y / period)
    apart_y = (y / period) % 1 - 0.5
    apart_x = ((x[None, :] / period) + 0.5 * (row[:, None] % 2)) % 1 - 0.5
    away = np.hypot(apart_y[:, None], apart_x)
    dots = np.clip((0.28 - away) * period / 2 + 0.5, 0, 1)
    cloth = _mixed(dots, (0.93, 0.92, 0.9), _bright(rng))
    return cloth * (1 + 0.03 * grain(shape, rng))[:, :, None]


TABLES: dict[str, Callable[[Shape, np.random.Generator], FloatArray]] = {
    "oak": _oak, "walnut": _walnut, "pine": _pine, "cherry": _cherry, "plain": _plain,
    "checked": _checked, "striped": _striped, "stone": _stone, "dotted": _dotted,
}  # fmt: skip
