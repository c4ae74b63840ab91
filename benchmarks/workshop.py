"""A folder with what the comparisons share, each thing made when first asked for."""

import os
import subprocess
import sys
from functools import cached_property
from pathlib import Path

from benchmarks.measure import Command, CommandFailedError, Pairs, in_pairs

HERE = Path(__file__).parent
ROOT = HERE.parent
PYTHON = sys.executable
APPLE_CLF = Path(PYTHON).parent / "apple-clf"

SMALL = 5_000
"""Pictures of 28x28 pixels in a folder."""
FOLDERS = 20
"""Copies of that folder that make the large one."""


class Workshop:
    """What the comparisons share: a folder, an environment and how often to measure."""

    def __init__(self, folder: Path, *, pairs: int) -> None:
        self.folder = folder
        self.pairs = pairs
        self.env = {**os.environ, "APPLE_CLF_CACHE": str(folder / "cache")}

    def compare(
        self, ours: Command, peer: Command, *, pairs: int | None = None, warm_up: int = 1
    ) -> Pairs:
        """Both commands measured in turn, `self.pairs` times unless told otherwise."""
        return in_pairs(ours, peer, pairs=pairs or self.pairs, warm_up=warm_up, env=self.env)

    @cached_property
    def run(self) -> Path:
        """A finished run of the built-in experiment, of three epochs."""
        runs = self.folder / "runs"
        self.make([APPLE_CLF, "train", "--set", "training.epochs=3", "--runs", runs])
        return max(path for path in runs.iterdir() if path.is_dir())

    @cached_property
    def thousand_runs(self) -> Path:
        """A folder of 1,000 finished runs, of the files that a list of them reads."""
        folder = self.folder / "thousand"
        for number in range(1, 1001):
            (folder / f"apples-{number:03d}").mkdir(parents=True)
            for name in ("metrics.json", "resolved.yaml"):
                (folder / f"apples-{number:03d}" / name).write_bytes((self.run / name).read_bytes())
        return folder

    @cached_property
    def small(self) -> Path:
        """A folder of small PNGs in two classes."""
        folder = self.folder / "small"
        self.make([APPLE_CLF, "data", "simulate", folder, "--samples", str(SMALL), "--size", "28"])
        return folder

    @cached_property
    def many(self) -> Path:
        """The folder of small PNGs, linked many times over."""
        folder = self.folder / "many"
        for copy in range(FOLDERS):
            for source in self.small.rglob("*.png"):
                target = folder / f"{copy:02d}" / source.relative_to(self.small)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.hardlink_to(source)
        return folder

    @cached_property
    def photos(self) -> Path:
        """A folder of large JPEGs."""
        folder = self.folder / "photos"
        self.make([PYTHON, HERE / "photos.py", folder])
        return folder

    def apples(self, n: int) -> Path:
        """An archive of n simulated pictures of 28x28 pixels with their labels."""
        path = self.folder / f"apples-{n}.npz"
        if not path.exists():
            self.make([PYTHON, HERE / "apples.py", path, str(n)])
        return path

    def make(self, command: Command) -> str:
        """What a command prints that prepares something."""
        finished = subprocess.run(
            [os.fspath(part) for part in command],
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode:
            raise CommandFailedError(finished.stderr[-500:].strip())
        return finished.stdout
