"""Prints how good the recipes are, A1 to A8, each with five seeds; `make bench-accuracy`.

    python -m benchmarks.accuracy [--data FOLDER] [--seeds 5] [--only A1,A2] [--runs FOLDER]

The data folder holds quickdraw/ and grocery/, each with <split>/<class>/*. Test images are looked
at here and nowhere else: the recipes were chosen on validation images. With --runs the trainings
are kept there, and those that are there already are not repeated.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

from apple_clf.data import load_labelled_folder
from apple_clf.evaluation import evaluate
from apple_clf.prediction.inference import Predictor
from apple_clf.runs import Run, find_run, list_runs
from benchmarks.drawings import VIEWS, write_imbalanced, write_no_drawings, write_view
from benchmarks.workshop import APPLE_CLF, ROOT

HEAD = (
    "| # | what | mean ± sd (min to max, seeds) | target | met? | seconds a training |\n"
    "|---|---|---|---|---|---|"
)
WORKERS = 2
"""Trainings side by side; each computes on one thread."""


@dataclass(frozen=True)
class Trained:
    """A finished run."""

    run: Run

    @property
    def seconds(self) -> float:
        """From reading the data to the last file."""
        content = json.loads(self.run.environment.read_bytes())
        seconds: float = content["duration_seconds"]["all"]
        return seconds

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The content of its metrics.json."""
        content: dict[str, Any] = json.loads(self.run.metrics.read_bytes())
        return content

    @property
    def balanced_accuracy(self) -> float:
        """On the test images of its own data."""
        value: float = self.metrics["metrics"]["balanced_accuracy"]["value"]
        return value


@dataclass
class Laboratory:
    """Real images, a folder to work in, and what was trained so far."""

    data: Path
    folder: Path
    seeds: int
    done: dict[tuple[str, ...], list[Trained]] = field(default_factory=dict)

    @property
    def drawings(self) -> Path:
        """Real drawings, <split>/<class>/*."""
        return self.data / "quickdraw"

    def train(self, config: str, *settings: str) -> list[Trained]:
        """A run of an experiment for each seed; the same is trained once only."""
        key = (config, *settings)
        if key not in self.done:
            with ThreadPoolExecutor(WORKERS) as pool:
                self.done[key] = list(
                    pool.map(lambda seed: self._train(key, seed), range(1, self.seeds + 1))
                )
        return self.done[key]

    def _train(self, key: tuple[str, ...], seed: int) -> Trained:
        config, *settings = key
        experiment = ROOT / "configs" / config
        what = [experiment.read_bytes(), *(text.encode() for text in settings)]
        digest = hashlib.sha256(b"\0".join(what)).hexdigest()[:8]
        runs = self.folder / f"{experiment.stem}-{digest}-seed-{seed}"
        if not any(run.is_finished for run in list_runs(runs)):
            overrides = [part for text in (*settings, f"seed={seed}") for part in ("--set", text)]
            finished = subprocess.run(
                [APPLE_CLF, "train", experiment, *overrides, "--runs", runs, "--quiet"],
                env={**os.environ, "APPLE_CLF_CACHE": str(self.folder / "cache")},
                capture_output=True,
                text=True,
                check=False,
            )
            if finished.returncode:
                raise RuntimeError(f"{config}, seed {seed}: {finished.stderr[-500:].strip()}")
        trained = Trained(find_run(None, folder=runs))
        print(
            f"{config} {' '.join(settings)} seed {seed}: {trained.seconds:.0f} s", file=sys.stderr
        )
        return trained

    def on_drawings(self, config: str) -> list[Trained]:
        """A run of an experiment on the real drawings for each seed."""
        return self.train(config, f"data.path={self.drawings}")


@dataclass(frozen=True)
class Result:
    """A figure for each seed and what it is held to."""

    number: str
    what: str
    values: Sequence[float]
    target: str = "-"
    met: Callable[[float], bool] | None = None
    seconds: Sequence[float] = ()

    def __str__(self) -> str:
        values = self.values
        spread = f" ± {stdev(values):.4f}" if len(values) > 1 else ""
        figure = f"{mean(values):.4f}{spread} ({min(values):.4f} to {max(values):.4f}, "
        verdict = "-" if self.met is None else "yes" if self.met(mean(values)) else "**missed**"
        took = f"{median(self.seconds):.0f}" if self.seconds else "-"
        cells = (self.number, self.what, f"{figure}{len(values)})", self.target, verdict, took)
        return f"| {' | '.join(cells)} |"


def _trained(
    number: str, what: str, trained: Sequence[Trained], *, target: float | None = None
) -> Result:
    return Result(
        number,
        f"{what}: balanced accuracy",
        [each.balanced_accuracy for each in trained],
        "report" if target is None else f">= {target:.3f}",
        None if target is None else lambda value: value >= target,
        [each.seconds for each in trained],
    )


def a1(laboratory: Laboratory) -> list[Result]:
    """The blog's layers on real drawings."""
    blog = (
        "model={units: [32, 16], activation: relu}",
        "preprocessing.image_size=[28, 28]",
        "training.optimizer=adam",
        f"data.path={laboratory.drawings}",
    )
    return [_trained("A1", "the blog's layers, 32-16", laboratory.train("quickdraw.yaml", *blog))]


def a2(laboratory: Laboratory) -> list[Result]:
    """Dense layers alone."""
    trained = laboratory.on_drawings("quickdraw.yaml")
    return [_trained("A2", "dense layers, `quickdraw.yaml`", trained, target=0.960)]


def a3(laboratory: Laboratory) -> list[Result]:
    """With convolutions."""
    trained = laboratory.on_drawings("quickdraw_conv.yaml")
    return [_trained("A3", "convolutions, `quickdraw_conv.yaml`", trained, target=0.975)]


def a4(laboratory: Laboratory) -> list[Result]:
    """Trained on simulated pictures alone."""
    trained = laboratory.train("default.yaml")
    values = [_on_folder(each, laboratory.drawings) for each in trained]
    return [
        Result(
            "A4",
            "simulated pictures to real drawings, `default.yaml`: balanced accuracy",
            values,
            ">= 0.850",
            lambda value: value >= 0.85,
            [each.seconds for each in trained],
        )
    ]


def a5(laboratory: Laboratory) -> list[Result]:
    """Calibration."""
    return [
        Result(
            "A5",
            f"`{config}`: expected calibration error",
            [
                each.metrics["metrics"]["expected_calibration_error"]["value"]
                for each in laboratory.on_drawings(config)
            ],
            "<= 0.020",
            lambda value: value <= 0.02,
        )
        for config in ("quickdraw.yaml", "quickdraw_conv.yaml")
    ]


def a6(laboratory: Laboratory) -> list[Result]:
    """The same test images seen otherwise."""
    results = []
    for name, change in VIEWS.items():
        folder = laboratory.folder / name
        if not folder.exists():
            write_view(laboratory.drawings / "test", folder, change)
        for config in ("quickdraw.yaml", "quickdraw_conv.yaml"):
            losses = [
                each.balanced_accuracy - _on_folder(each, folder)
                for each in laboratory.on_drawings(config)
            ]
            what = f"`{config}`, {name}: balanced accuracy lost"
            results.append(Result("A6", what, losses, "<= 0.030", lambda value: value <= 0.03))
    return results


def a7(laboratory: Laboratory) -> list[Result]:
    """One apple for fifty others, against as many as there are."""
    folder = laboratory.folder / "imbalanced"
    if not folder.exists():
        write_imbalanced(laboratory.drawings, folder, rare="apple", ratio=50)
    balanced = laboratory.train("imbalanced.yaml", f"data.path={laboratory.drawings}")
    rare = laboratory.train("imbalanced.yaml", f"data.path={folder}")
    losses = [
        full.balanced_accuracy - few.balanced_accuracy
        for full, few in zip(balanced, rare, strict=True)
    ]
    what = "`imbalanced.yaml`, 1:50 against balanced: balanced accuracy lost"
    return [
        _trained("A7", "`imbalanced.yaml` with all apples", balanced),
        _trained("A7", "`imbalanced.yaml` with an apple for 50 others", rare),
        Result("A7", what, losses, "<= 0.050", lambda value: value <= 0.05),
    ]


def a8(laboratory: Laboratory) -> list[Result]:
    """Pictures that are no drawings, and how often drawings are taken for such."""
    no_drawings = laboratory.folder / "no drawings"
    if not no_drawings.exists():
        write_no_drawings(no_drawings)
    kinds = {
        "noise": sorted(no_drawings.glob("noise-*")),
        "blank": sorted(no_drawings.glob("blank-*")),
        "photos": sorted((laboratory.data / "grocery").rglob("*.jpg")),
    }
    drawings = sorted((laboratory.drawings / "test").rglob("*.png"))
    results = []
    for config in ("quickdraw.yaml", "quickdraw_conv.yaml"):
        predictors = [Predictor.load(each.run) for each in laboratory.on_drawings(config)]
        for kind, files in kinds.items():
            what = f"`{config}`, {kind}: share answered unsure"
            shares = [_unsure(predictor, files) for predictor in predictors]
            results.append(Result("A8", what, shares, ">= 0.950", lambda value: value >= 0.95))
        what = f"`{config}`, test drawings: share answered unsure"
        shares = [_unsure(predictor, drawings) for predictor in predictors]
        results.append(Result("A8", what, shares, "<= 0.030", lambda value: value <= 0.03))
    return results


def photos(laboratory: Laboratory) -> list[Result]:
    """Phone photos: 300 to learn from."""
    trained = laboratory.train("photos.yaml", f"data.path={laboratory.data / 'grocery'}")
    return [_trained("-", "photos of groceries, `photos.yaml`", trained)]


def _on_folder(trained: Trained, folder: Path) -> float:
    """Balanced accuracy on a folder's test images, or on all where there are no splits."""
    predictor = Predictor.load(trained.run)
    record = predictor.record
    split, _ = load_labelled_folder(folder, record.preprocessing, class_names=record.class_names)
    value = evaluate(predictor, split).estimates["balanced_accuracy"].value
    assert value is not None
    return value


def _unsure(predictor: Predictor, files: Sequence[Path]) -> float:
    answers = predictor.answer([str(file) for file in files])
    return mean(bool(answer.unsure) for answer in answers)


RESULTS: dict[str, Callable[[Laboratory], list[Result]]] = {
    "A1": a1, "A2": a2, "A3": a3, "A4": a4, "A5": a5, "A6": a6, "A7": a7, "A8": a8,
    "PHOTOS": photos,
}  # fmt: skip


def main() -> int:
    """The exit code, after the table was printed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--runs", type=Path, help="keep the trainings in this folder")
    parser.add_argument("--only", default=",".join(RESULTS), metavar="A1,A2")
    arguments = parser.parse_args()
    if not (arguments.data / "quickdraw").is_dir():
        print(f"{arguments.data}: holds no quickdraw folder. Name one by --data.", file=sys.stderr)
        return 3
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory(prefix="apple-clf-accuracy-") as folder:
        laboratory = Laboratory(arguments.data, arguments.runs or Path(folder), arguments.seeds)
        for number in arguments.only.upper().split(","):
            for result in RESULTS[number](laboratory):
                print(result, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
