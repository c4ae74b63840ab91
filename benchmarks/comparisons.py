"""What is compared with what, and the ratio to reach; the numbers are those of the targets."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.measure import Command, Pairs, measure, typical
from benchmarks.serving import serving
from benchmarks.table import Line, Row, memory_row, time_row
from benchmarks.training import against_keras, against_others, checkpoints, growth
from benchmarks.workshop import APPLE_CLF, FOLDERS, HERE, PYTHON, ROOT, SMALL, Workshop

AS_FAST_AS = 1.25
"""Ratio of times at 0.8 times the throughput."""
FLAT = 1.2
"""Ratio of memories that counts as no growth while the files become twenty times as many: in their
first seconds workers come to own some pages that they shared with their parent at first."""
TRIALS = 20
"""Trainings of the sweep."""
DRAFT_SIDE = 8 * 28
"""Pixels that `predict` leaves of a large JPEG's shorter side when the network sees 28x28."""


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
    for options in ((), ("--sort", "training.learning_rate")):
        command = [APPLE_CLF, "runs", "--runs", at.thousand_runs, *options]
        usages = [measure(command, env=at.env) for _ in range(at.pairs)]
        took = typical(usages)
        yield Row(
            "S2",
            " ".join(("runs of 1,000", *options)),
            "1 s",
            f"{took.seconds:.3g} s, {took.megabytes:.0f} MB",
            "1 s",
            [usage.seconds for usage in usages],
            limit=1,
        )


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


def warm_trials(at: Workshop) -> Iterator[Row]:
    """S8: a sweep, whose workers stay warm, against a process for each of its trainings."""
    rates = [f"{10 ** (-4 + i / 10):.3g}" for i in range(TRIALS)]
    small = ["--set", "training.epochs=10", "--quiet"]
    swept = f"training.learning_rate={','.join(rates)}"
    pairs = at.compare(
        [APPLE_CLF, "sweep", "--set", swept, *small, "--sweeps", at.folder / "sweeps"],
        [PYTHON, HERE / "peers" / "trainings.py", APPLE_CLF, at.folder / "trials", *rates],
        pairs=min(at.pairs, 3),
        warm_up=0,
    )
    peer = f"{TRIALS} processes of `train`"
    yield time_row("S8", f"a sweep of {TRIALS} small trials", peer, pairs, limit=0.15)


COMPARISONS: dict[str, Callable[[Workshop], Iterator[Line]]] = {
    "S1": cold_predict,
    "S2": light_commands,
    "S3": bulk_predict,
    "S4": against_keras,
    "S5": against_others,
    "S6": blog,
    "S7": data_ready,
    "S8": warm_trials,
    "S9": growth,
    "S10": checkpoints,
    "S11": serving,
}
