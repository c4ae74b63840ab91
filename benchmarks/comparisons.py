"""What is compared with what, and the ratio to reach; the numbers are those of the targets."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

from benchmarks.measure import Command, CommandFailedError, Pairs, in_pairs, typical
from benchmarks.table import Row, memory_row, time_row

HERE = Path(__file__).parent
ROOT = HERE.parent
PYTHON = sys.executable
APPLE_CLF = Path(PYTHON).parent / "apple-clf"

SMALL = 5_000
"""Pictures of 28x28 pixels in a folder."""
FOLDERS = 20
"""Copies of that folder that make the large one."""
AS_FAST_AS = 1.25
"""Ratio of times at 0.8 times the throughput."""
FLAT = 1.2
"""Ratio of memories that counts as no growth while the files become twenty times as many: in their
first seconds workers come to own some pages that they shared with their parent at first."""
DRAFT_SIDE = 8 * 28
"""Pixels that `predict` leaves of a large JPEG's shorter side when the network sees 28x28."""


class Workshop:
    """A folder with what the comparisons share, each thing made when first asked for."""

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
    def small(self) -> Path:
        """A folder of small PNGs in two classes."""
        folder = self.folder / "small"
        self.make([APPLE_CLF, "data", "simulate", folder, "--samples", str(SMALL), "--size", "28"])
        (folder / "contact_sheet.png").unlink()
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


def cold_predict(at: Workshop) -> Iterator[Row]:
    """S1: one picture, asked of a process that has just started."""
    image = ROOT / "data" / "apple.png"
    pairs = at.compare(
        [APPLE_CLF, "predict", image, "--run", at.run],
        [PYTHON, HERE / "peers" / "keras_predict.py", at.run / "model.keras", image],
    )
    work, peer = "predict one image, cold", "12 lines of Keras, the same model"
    yield time_row("S1", work, peer, pairs, limit=0.08)
    yield memory_row("S1", f"{work}: memory", peer, pairs, limit=0.12)


def light_commands(at: Workshop) -> Iterator[Row]:
    """S2: commands that compute nothing."""
    for words, modules in (
        (["--help"], "typer"),
        (["runs", "--runs", at.run.parent], "typer"),
        (["config", "check"], "typer, yaml, pydantic"),
    ):
        pairs = at.compare([APPLE_CLF, *words], [PYTHON, "-c", f"import {modules}"])
        name = " ".join(word for word in words[:2] if isinstance(word, str) and word != "--runs")
        yield time_row("S2", name, f"import {modules}", pairs, limit=2)


def bulk_predict(at: Workshop) -> Iterator[Row]:
    """S3: folders of pictures, against the decoding alone.

    The large JPEGs meet two limits: decoding in full, as `convert` does unasked, and at the eighth
    of the size that `predict` asks for too. Of the 100,000 one pair must do: it takes long enough
    to be steady, and the 5,000 have warmed everything.
    """

    def ours(folder: Path) -> Command:
        return [APPLE_CLF, "predict", folder, "--run", at.run, "--format", "csv"]

    def limit(folder: Path, program: str = "pillow_decode.py") -> Command:
        return [PYTHON, HERE / "peers" / program, folder]

    decode = "Pillow decodes on all cores"
    few = at.compare(ours(at.small), limit(at.small))
    yield time_row("S3", f"predict {SMALL:,} small PNGs", decode, few, limit=AS_FAST_AS)

    several = min(at.pairs, 3)
    photos = at.compare(ours(at.photos), limit(at.photos), pairs=several)
    work = "predict 200 JPEGs of 12 megapixels"
    yield time_row("S3", work, f"{decode}, in full", photos, limit=AS_FAST_AS)
    draft = [*limit(at.photos, "pillow_draft.py"), str(DRAFT_SIDE)]
    photos = at.compare(ours(at.photos), draft)
    yield time_row("S3", work, f"{decode}, JPEGs at 1/8", photos, limit=AS_FAST_AS)

    total = f"{FOLDERS * SMALL:,} small PNGs"
    many = at.compare(ours(at.many), limit(at.many), pairs=1, warm_up=0)
    yield time_row("S3", f"predict {total}", decode, many, limit=AS_FAST_AS)
    growth = Pairs(many.ours, [typical(few.ours)])
    yield memory_row("S3", f"predict {total}: memory", f"on {SMALL:,}", growth, limit=FLAT)


def blog(at: Workshop) -> Iterator[Row]:
    """S6: a whole training with all that it leaves behind."""
    pairs = at.compare(
        [APPLE_CLF, "train", ROOT / "configs" / "blog.yaml", "--runs", at.folder / "blog"],
        [PYTHON, HERE / "peers" / "blog.py"],
    )
    yield time_row("S6", "train configs/blog.yaml", "the blog's script", pairs, limit=0.8)


def data_ready(at: Workshop) -> Iterator[Row]:
    """S7: the data of a training, ready for the second time."""
    folder = at.small
    time.sleep(3)  # the decode cache distrusts files that changed within two seconds
    pairs = json.loads(at.make([PYTHON, HERE / "data_ready.py", folder, str(at.pairs)]))
    first, second = (sorted(column)[len(column) // 2] for column in zip(*pairs, strict=True))
    yield Row(
        "S7",
        f"data of {SMALL:,} PNGs ready, second time",
        "the first time",
        f"{second:.3g} s, none decoded",
        f"{first:.3g} s",
        [again / before for before, again in pairs],
        limit=0.1,
    )


COMPARISONS: dict[str, Callable[[Workshop], Iterator[Row]]] = {
    "S1": cold_predict,
    "S2": light_commands,
    "S3": bulk_predict,
    "S6": blog,
    "S7": data_ready,
}
