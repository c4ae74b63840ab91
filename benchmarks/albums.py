"""Sets of pictures to judge models by, made once and kept, and prepared once for all models alike.

What is kept is named for the code that made it and the settings it was made with, so a changed
generator or a changed reader never meets old files.
"""

import hashlib
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from apple_clf.arrays import UInt8Array
from apple_clf.images import loading, preprocessing
from apple_clf.images.preprocessing import Preprocessing
from benchmarks import (
    bitmaps,
    hands,
    paper,
    pens,
    photographs,
    scenery,
    strangers,
    supplies,
    tables,
)

MAKERS = (hands, pens, scenery, tables, supplies, photographs, bitmaps, paper, strangers)
WORKERS = 2
NOT_MADE = ("own", "photos", "drawings")
"""Pictures that are there without being drawn."""
LARGE_EACH = 3
"""Drawings photographed with twelve megapixels, for timing."""


@dataclass(frozen=True)
class Pictures:
    """Files and, where they have one, the class of each."""

    files: Sequence[Path]
    labels: Sequence[str] | None


class Albums:
    """All sets of pictures of a split."""

    def __init__(self, folder: Path, *, data: Path, split: str, seed: int, n: int) -> None:
        """Names the sets.

        Args:
            folder: keeps them.
            data: holds quickdraw/ and grocery/.
            split: train, to choose by, or test, to report.
            seed: of everything.
            n: pictures of a condition.
        """
        sources = b"".join(Path(str(module.__file__)).read_bytes() for module in MAKERS)
        digest = hashlib.sha256(sources).hexdigest()[:8]
        self.folder = folder / f"pictures-{split}-{seed}-{n}-{digest}"
        self.data, self.split, self.seed, self.n = data, split, seed, n
        self.supplies = paper.SUPPLIES[split]

    def make(self, names: Iterable[str]) -> None:
        """Makes those sets that are not there yet, several at a time."""
        missing = [
            name
            for name in dict.fromkeys(names)
            if name not in NOT_MADE and not (self.folder / name).exists()
        ]
        if not missing:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
            for name in pool.map(self._make, missing):
                print(f"{name}: drawn", file=sys.stderr)

    def _make(self, name: str) -> str:
        unfinished = self.folder / f"unfinished {name}"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._maker(name)(unfinished)
        unfinished.rename(self.folder / name)
        return name

    def _maker(self, name: str) -> Callable[[Path], object]:
        if name == "noise":
            return partial(strangers.write_noise, seed=self.seed)
        if name == "blank":
            return partial(strangers.write_blank, seed=self.seed)
        if name == "empty sheets":
            return partial(strangers.write_sheets, supplies=self.supplies, seed=self.seed)
        drawings = self.data / "quickdraw" / self.split
        write = partial(paper.write, drawings=drawings, supplies=self.supplies, seed=self.seed)
        if name == "large":
            return partial(
                write, condition="fibre", n=LARGE_EACH, shape=photographs.TWELVE_MEGAPIXELS
            )
        return partial(write, condition=name, n=self.n)

    def pictures(self, name: str) -> Pictures:
        """A set that was made; `photos` and `drawings` are of the data folder itself."""
        if name == "photos":
            return Pictures(sorted((self.data / "grocery").rglob("*.jpg")), None)
        if name == "drawings":
            return Pictures(sorted((self.data / "quickdraw" / self.split).rglob("*.png")), None)
        files = sorted(path for path in (self.folder / name).rglob("*.*") if path.is_file())
        labelled = all(path.parent.name in paper.CLASSES for path in files)
        return Pictures(files, [path.parent.name for path in files] if labelled else None)

    def prepared(self, name: str, contract: Preprocessing) -> UInt8Array:
        """The pictures of a set as a network sees them, uint8, (n, height, width, channels)."""
        code = [Path(str(preprocessing.__file__)), *Path(loading.__path__[0]).glob("*.py")]
        what = [path.read_bytes() for path in sorted(code)]
        digest = hashlib.sha256(b"".join([*what, repr(contract).encode()])).hexdigest()[:8]
        place = self.folder / "prepared" / f"{name}-{digest}.npy"
        if place.exists():
            kept: UInt8Array = np.load(place)
            return kept
        files = self.pictures(name).files
        with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
            pixels = list(pool.map(partial(_pixels, contract=contract), files, chunksize=16))
        place.parent.mkdir(parents=True, exist_ok=True)
        np.save(place.with_suffix(".part.npy"), np.array(pixels, np.uint8))
        place.with_suffix(".part.npy").rename(place)
        return np.array(pixels, np.uint8)


def _pixels(file: Path, *, contract: Preprocessing) -> UInt8Array:
    return loading.load(file, contract).pixels
