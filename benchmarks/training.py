"""What training costs: an epoch against other libraries, more images, checkpoints.

The programs compared train the same network, dense 128-64-2 with Adam in batches of 32, on the same
simulated pictures. Each times its own epochs, since the start of TensorFlow would hide them, and
tells how well the training images are known at the end, so that none is fast by learning less.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.measure import measure
from benchmarks.table import Line, Row, Unmeasured
from benchmarks.workshop import HERE, PYTHON, Workshop

OURS = HERE / "epochs.py"
PEERS = HERE / "peers"

IMAGES, EPOCHS = 10_000, 11
"""Of these epochs the first, in which TensorFlow traces its graph, is not counted."""
SIZES = {1_000: 21, 10_000: 6, 100_000: 3, 1_000_000: 2}
"""Images in a file, and epochs: enough to be timed, but no more."""
HELD_OUT = 0.3
"""Share of them in the validation and the test split, as by default."""
PIXELS = 28 * 28 / 1e6
"""Megabytes of an image."""
LONG = 200
"""Epochs of 10,000 images that last longer than the time between two checkpoints."""


class Epochs(NamedTuple):
    """What a program tells of its training, and the peak memory seen from outside."""

    seconds: float  # an epoch, on average
    accuracy: float
    megabytes: float

    def __str__(self) -> str:
        return f"{self.seconds:.3g} s, accuracy {self.accuracy:.3f}"


def against_keras(at: Workshop) -> Iterator[Line]:
    """S4: epochs against Keras's own, each with its defaults."""
    yield _epochs_row(at, "S4", "keras_epochs.py", "Keras: model.fit", limit=0.3)


def against_others(at: Workshop) -> Iterator[Line]:
    """S5: epochs against scikit-learn's and PyTorch's."""
    for module, program, peer, limit in (
        ("sklearn", "sklearn_epochs.py", "scikit-learn: MLPClassifier", 0.65),
        ("torch", "torch_epochs.py", "PyTorch: a plain loop", 0.6),
    ):
        if find_spec(module) is None:
            yield Unmeasured("S5", _WORK, peer, f"{module} is not installed")
        else:
            yield _epochs_row(at, "S5", program, peer, limit=limit)


_WORK = f"an epoch of {IMAGES:,} images (1st of {EPOCHS} not counted)"


def _epochs_row(at: Workshop, number: str, program: str, peer: str, *, limit: float) -> Row:
    pairs = [
        (_train(at, OURS, IMAGES, EPOCHS), _train(at, PEERS / program, IMAGES, EPOCHS))
        for _ in range(at.pairs)
    ]
    return _seconds_row(number, _WORK, peer, pairs, limit=limit)


def growth(at: Workshop) -> Iterator[Line]:
    """S9: more images, from an archive through `load_dataset` and `fit`.

    The memory to stay below is that of TensorFlow with a trivial model trained, measured in the
    same turn, and one and a half times the pixels.
    """
    runs: dict[int, list[Epochs]] = {n: [] for n in SIZES}
    trivial: list[float] = []
    for _ in range(at.pairs):
        trivial.append(measure([PYTHON, PEERS / "blog.py"], env=at.env).megabytes)
        for n, epochs in SIZES.items():
            runs[n].append(_train(at, OURS, n, epochs, "--held-out", str(HELD_OUT)))
    for n in SIZES:
        if n != IMAGES:
            yield _time_growth(n, runs)
    for n in SIZES:
        if n >= IMAGES:
            yield _memory_growth(n, runs[n], trivial)


def _time_growth(n: int, runs: Mapping[int, list[Epochs]]) -> Row:
    """Time per image against that of 10,000; fewer are shown, but held to nothing."""

    def microseconds(n: int) -> list[float]:
        return [1e6 * run.seconds / (n * (1 - HELD_OUT)) for run in runs[n]]

    each, base = microseconds(n), microseconds(IMAGES)
    return Row(
        "S9",
        f"an epoch's time per image, of {n:,} images",
        f"of {IMAGES:,} images",
        f"{median(each):.3g} us",
        f"{median(base):.3g} us",
        [a / b for a, b in zip(each, base, strict=True)],
        limit=1.3 if n > IMAGES else None,
    )


def _memory_growth(n: int, runs: list[Epochs], trivial: Sequence[float]) -> Row:
    used = [run.megabytes for run in runs]
    allowed = [megabytes + 1.5 * n * PIXELS for megabytes in trivial]
    return Row(
        "S9",
        f"memory of a training, {n:,} images",
        "a trivial one of Keras + 1.5x the pixels",
        f"{median(used):.0f} MB",
        f"{median(allowed):.0f} MB",
        [a / b for a, b in zip(used, allowed, strict=True)],
        limit=1,
    )


def checkpoints(at: Workshop) -> Iterator[Line]:
    """S10: a training with checkpoints, as often as by default, against the same without."""
    pairs = []
    for i in range(at.pairs):
        folder = at.folder / f"checkpoints-{i}"  # from one that exists a training would go on
        ours = _train(at, OURS, IMAGES, LONG, "--checkpoints", folder)
        pairs.append((ours, _train(at, OURS, IMAGES, LONG)))
    work = f"an epoch of {LONG}, with checkpoints"
    yield _seconds_row("S10", work, "without", pairs, limit=1.05)


def _seconds_row(
    number: str, work: str, peer: str, pairs: Sequence[tuple[Epochs, Epochs]], *, limit: float
) -> Row:
    ours, theirs = (
        Epochs(*(median(values) for values in zip(*runs, strict=True)))
        for runs in zip(*pairs, strict=True)
    )
    ratios = [a.seconds / b.seconds for a, b in pairs]
    return Row(number, work, peer, str(ours), str(theirs), ratios, limit)


def _train(at: Workshop, program: Path, n: int, epochs: int, *options: str | Path) -> Epochs:
    """What a program tells of its epochs on n images."""
    result = at.folder / "epochs.json"
    usage = measure([PYTHON, program, at.apples(n), str(epochs), result, *options], env=at.env)
    told = json.loads(result.read_text())
    return Epochs(told["seconds"], told["accuracy"], usage.megabytes)
