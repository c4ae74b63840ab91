"""Prints how good the experiments are that `init` writes, trained without an edit.

    python -m benchmarks.starters [--data FOLDER] [--seeds 5] [--only two,three,five]

The data folder holds quickdraw/ and grocery/, each with <split>/<class>/*. What `init` writes was
chosen on training images; the test folders are looked at here and nowhere else.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import mean, stdev

from benchmarks.workshop import PYTHON, ROOT

VEGETABLES = {
    "Asparagus", "Aubergine", "Brown-Cap-Mushroom", "Cabbage", "Carrots", "Cucumber", "Garlic",
    "Ginger", "Leek", "Onion", "Pepper", "Potato", "Red-Beet", "Tomato", "Zucchini",
}  # fmt: skip
"""As a shop sorts them; files are named <kind>__<variety>_<number>.jpg."""

CITRUS = {"Lemon", "Lime", "Orange", "Red-Grapefruit", "Satsumas"}

GREEN_APPLES = {"Golden-Delicious", "Granny-Smith"}

HEAD = "| images | mean ± sd (min to max, seeds) | target | seconds a training |\n|---|---|---|---|"


def two(data: Path, *_: object) -> Path:
    """Photos of apples and of other groceries, as they are."""
    return data / "grocery"


def three(data: Path, folder: Path, *_: object) -> Path:
    """The same photos as red apples, green apples and other groceries."""
    return _sorted_anew(data / "grocery", folder / "three", _by_colour)


def citrus(data: Path, folder: Path, *_: object) -> Path:
    """The same as apples, citrus fruit (26 photos) and other groceries."""
    return _sorted_anew(data / "grocery", folder / "citrus", _with_citrus)


def shop(data: Path, folder: Path, *_: object) -> Path:
    """The same as apples, other fruit and vegetables."""
    return _sorted_anew(data / "grocery", folder / "shop", _with_vegetables)


def five(data: Path, folder: Path, seed: int) -> Path:
    """Five drawings a class to learn from, others with each seed, and all those of the test."""
    target = folder / f"five-{seed}"
    drawn = data / "quickdraw"
    for name in ("apple", "not_apple"):
        (target / "train" / name).mkdir(parents=True)
        files = sorted((drawn / "train" / name).iterdir())
        for file in Random(seed).sample(files, 5):
            shutil.copyfile(file, target / "train" / name / file.name)
    shutil.copytree(drawn / "test", target / "test")
    return target


SETS: dict[str, tuple[Callable[[Path, Path, int], Path], str]] = {
    "two": (two, ">= 0.92"),
    "three": (three, ">= 0.85"),
    "citrus": (citrus, "report"),
    "shop": (shop, "report"),
    "five": (five, "report"),
}


def _by_colour(class_name: str, kind: str) -> str:
    if class_name != "apple":
        return "other"
    return "green_apple" if kind.rpartition("_")[0] in GREEN_APPLES else "red_apple"


def _with_citrus(class_name: str, kind: str) -> str:
    if class_name == "apple":
        return "apple"
    return "citrus" if kind.partition("__")[0] in CITRUS else "other"


def _with_vegetables(class_name: str, kind: str) -> str:
    if class_name == "apple":
        return "apple"
    return "vegetable" if kind.partition("__")[0] in VEGETABLES else "other_fruit"


def _sorted_anew(source: Path, target: Path, class_of: Callable[[str, str], str]) -> Path:
    """A copy of a folder with splits, each file in the class that it is given."""
    if not target.exists():
        for file in sorted(source.glob("*/*/*")):
            split, class_name, _ = file.relative_to(source).parts
            copy = target / split / class_of(class_name, file.stem) / file.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    return target


def _trained(images: Path, folder: Path, seed: int) -> tuple[float, float]:
    """Balanced accuracy on the test images, and the seconds that the training took."""
    config = folder / "mine.yaml"
    _run(folder, "init", str(config), "--data", str(images), "--force")
    runs = folder / "runs"
    _run(folder, "train", str(config), "--set", f"seed={seed}", "--runs", str(runs), "--quiet")
    run = max(path for path in runs.iterdir() if path.is_dir())
    metrics = json.loads((run / "metrics.json").read_bytes())
    seconds = json.loads((run / "environment.json").read_bytes())["duration_seconds"]["all"]
    return metrics["metrics"]["balanced_accuracy"]["value"], seconds


def _run(folder: Path, *arguments: str) -> None:
    finished = subprocess.run(
        [PYTHON, "-m", "apple_clf", *arguments],
        env={**os.environ, "APPLE_CLF_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {finished.stderr[-500:].strip()}")


def main() -> int:
    """0, after the table was printed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starters", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--only", default=",".join(SETS), metavar="two,three")
    arguments = parser.parse_args()
    print(HEAD, flush=True)
    for name in arguments.only.split(","):
        make, target = SETS[name]
        results = []
        for seed in range(arguments.first, arguments.first + arguments.seeds):
            with tempfile.TemporaryDirectory(prefix="apple-clf-starters-") as temporary:
                folder = Path(temporary)
                results.append(_trained(make(arguments.data, folder, seed), folder, seed))
            print(f"{name}, seed {seed}: {results[-1][0]:.4f}", file=sys.stderr, flush=True)
        values, seconds = zip(*results, strict=True)
        spread = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
        figure = f"{mean(values):.3f}{spread} ({min(values):.3f} to {max(values):.3f}, "
        what = (make.__doc__ or name).rstrip(".")
        print(f"| {what} | {figure}{len(values)}) | {target} | {mean(seconds):.0f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
