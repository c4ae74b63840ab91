"""Pictures that show no drawing: noise of many grains and sizes, blank ones, empty sheets."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from apple_clf.arrays import UInt8Array
from benchmarks.pens import clouds
from benchmarks.photographs import PAPER, photograph
from benchmarks.supplies import Supplies

NOISE_SIDES = (4, 8, 28, 64, 128, 512)
BLANK_SIDES = (28, 280, 1000)
PER_NOISE = 6
"""Pictures of each kind and side."""
BLANKS, SHEETS = 60, 60


def write_noise(folder: Path, *, seed: int) -> None:
    """Writes noise of each kind and side: uniform, salt on black, blurred gray."""
    _write(folder, _noise(np.random.default_rng([seed, 1])))


def write_blank(folder: Path, *, seed: int) -> None:
    """Writes pictures of one level, black and white among them, of several sides."""
    _write(folder, _blank(np.random.default_rng([seed, 2])))


def write_sheets(folder: Path, *, supplies: Supplies, seed: int) -> None:
    """Writes photos of paper that nobody has drawn on, under all conditions."""
    for i in range(SHEETS):
        condition = list(PAPER)[i % len(PAPER)]
        content = photograph([], condition, supplies, np.random.default_rng([seed, 3, i]))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i:03d}-{condition}.jpg").write_bytes(content)


def _write(folder: Path, pictures: Iterator[UInt8Array]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(folder / f"{i:03d}-{pixels.shape[0]}.png")


def _noise(rng: np.random.Generator) -> Iterator[UInt8Array]:
    for side in NOISE_SIDES:
        for _ in range(PER_NOISE):
            uniform = rng.integers(256, size=(side, side), dtype=np.uint8)
            salt = rng.random((side, side)) < rng.uniform(0.02, 0.5)
            salt.flat[rng.integers(salt.size)] = True
            yield uniform
            yield np.where(salt, uniform | 128, 0).astype(np.uint8)
            cells = max(2, side // int(rng.integers(2, 9)))
            gray = 128 + rng.uniform(20, 60) * clouds((side, side), (cells, cells), rng)
            yield np.clip(gray, 0, 255).astype(np.uint8)


def _blank(rng: np.random.Generator) -> Iterator[UInt8Array]:
    for i, level in enumerate((0, 255, *rng.integers(256, size=BLANKS - 2).tolist())):
        side = BLANK_SIDES[i % len(BLANK_SIDES)]
        yield np.full((side, side), level, np.uint8)
