"""Prints what `data check` finds of copies and wrong labels that were planted; `make bench-checks`.

    python -m benchmarks.planted [--data FOLDER] [--seed 0] [--sheets DIR]

FOLDER holds quickdraw/<split>/<class>/*.png, and grocery/<split>/<class>/*.jpg for pictures in
frames and labels of photos. It is copied and the copies are changed, never FOLDER.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import copytree

import numpy as np
from PIL import Image

from apple_clf.checks import CheckedData, check_data
from apple_clf.checks.folds import balanced_accuracy
from apple_clf.checks.label_suspects import cross_validated_probabilities, label_suspects
from apple_clf.checks.near_duplicates import find_near_duplicates
from apple_clf.checks.precision import precision, worth_a_look
from apple_clf.checks.sheets import write_sheets
from apple_clf.config import parse_experiment
from apple_clf.config.schema import Experiment
from apple_clf.data import Split, load_labelled_folder
from apple_clf.data.duplicates import first_equal
from apple_clf.data.simulation import simulate
from apple_clf.pipeline.starter import starter_text
from benchmarks import framed
from benchmarks.workshop import ROOT

COPIES = {"exact": 20, "mirrored": 20, "moved by a pixel": 20, "under the other class": 10}
PAIR_FINDINGS = ("duplicates", "near duplicates")
FLIPPED = {"quickdraw": (0.1, 0.05, 0.0), "grocery": (0.1, 0.0)}  # shares of the labels
MANY = 100_000
Planted = dict[str, set[frozenset[str]]]


def plant(folder: Path, rng: np.random.Generator) -> Planted:
    """File names of the originals and copies by kind, after copies were put into a folder.

    Every other copy goes to the test split.
    """
    originals = rng.permutation(sorted(map(str, folder.glob("train/*/*.png"))))
    planted: Planted = {}
    used = 0
    for kind, n in COPIES.items():
        planted[kind] = set()
        for k, original in enumerate(map(Path, originals[used : used + n])):
            class_name = original.parent.name
            if kind == "under the other class":
                class_name = "apple" if class_name == "not_apple" else "not_apple"
            copy = folder / ("train", "test")[k % 2] / class_name / f"planted_{used + k:03d}.png"
            if kind in {"exact", "under the other class"}:
                copy.write_bytes(original.read_bytes())
            else:
                Image.fromarray(_changed(original, kind, rng)).save(copy)
            planted[kind].add(frozenset({str(original), str(copy)}))
        used += n
    return planted


def _changed(original: Path, kind: str, rng: np.random.Generator) -> np.ndarray[tuple[int, ...]]:
    pixels = np.asarray(Image.open(original).convert("L"))
    if kind == "mirrored":
        return pixels[:, ::-1]
    steps = [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1)]
    y, x = steps[rng.integers(len(steps))]
    height, width = pixels.shape
    return np.pad(pixels, 1)[1 - y : 1 - y + height, 1 - x : 1 - x + width]


def copies_found(data: Path, folder: Path, seed: int, sheets: Path | None) -> Iterator[str]:
    """Rows of the table of planted copies."""
    copytree(data / "quickdraw", folder)
    planted = plant(folder, np.random.default_rng(seed))
    checked = check_data(_experiment(folder), n_folds=0)
    if sheets:
        write_sheets(checked, sheets)
    found = _pairs(checked)
    for kind, pairs in planted.items():
        yield f"| {kind} | {len(pairs)} | {len(pairs & found)} | {len(pairs - found)} |"
    false = found - set().union(*planted.values())
    yield f"| not planted | | {len(false)} | |"


def photo_copies_found(data: Path, folder: Path, seed: int) -> Iterator[str]:
    """Rows of the table of changed copies of photos, each beside its original."""
    copytree(data / "grocery", folder)
    rng = np.random.default_rng(seed)
    originals = iter(rng.permutation(sorted(folder.glob("train/*/*.jpg"))))
    planted: Planted = {}
    for kind, change in framed.CHANGES.items():
        planted[kind] = set()
        for k in range(10):
            original = Path(next(originals))
            copy = original.with_name(f"planted-{kind.replace(' ', '-')}-{k}.png")
            framed.save(change(framed.opened(original)), copy)
            planted[kind].add(frozenset({str(original), str(copy)}))
    found = _pairs(check_data(_experiment(folder), n_folds=0))
    for kind, pairs in planted.items():
        yield f"| photos, {kind} | {len(pairs)} | {len(pairs & found)} | {len(pairs - found)} |"
    yield f"| photos, not planted | | {len(found - set().union(*planted.values()))} | |"


def framed_found(data: Path, folder: Path, seed: int) -> Iterator[str]:
    """Rows of the table of pictures in frames."""
    rng = np.random.default_rng(seed)
    framed.traps(data, folder / "traps", rng)
    false = _pairs(check_data(_experiment(folder / "traps"), n_folds=0))
    n_pictures = len(list((folder / "traps").rglob("*.png")))
    yield f"| {n_pictures} different pictures in shared frames | 0 | {len(false)} | |"
    planted = list(framed.pairs_in_two_frames(data, folder / "pairs", rng))
    found = _pairs(check_data(_experiment(folder / "pairs"), n_folds=0))
    for source in framed.FRAMES:
        pairs = {pair for name, pair in planted if name == source}
        counts = f"{len(pairs)} | {len(pairs & found)} | {len(pairs - found)}"
        yield f"| {source}, one picture in two frames | {counts} |"
    extra = found - {pair for _, pair in planted}
    yield f"| not planted among these | | {len(extra)} | |"


def _experiment(folder: Path) -> Experiment:
    return parse_experiment(starter_text(Path("planted.yaml"), folder), filename="planted")


def _pairs(checked: CheckedData) -> set[frozenset[str]]:
    return {
        frozenset(item.files)
        for finding in checked.findings
        if finding.check.startswith(PAIR_FINDINGS)
        for item in finding.items
    }


def flipped_found(data: Path, source: str, rates: Sequence[float], seed: int) -> Iterator[str]:
    """Rows of the table of wrong labels."""
    folder = data / source / "train"
    experiment, names = _experiment(folder), ("apple", "not_apple")
    split, _ = load_labelled_folder(folder, experiment.preprocessing, class_names=names)
    rng = np.random.default_rng(seed)
    for rate in rates:
        flipped = np.zeros(len(split), np.bool_)
        flipped[rng.choice(len(split), round(rate * len(split)), replace=False)] = True
        labels = np.where(flipped, 1 - split.labels, split.labels)
        probabilities = cross_validated_probabilities(
            experiment,
            Split(split.images, labels, split.names),
            first=first_equal(split.images),
            class_names=names,
            n_folds=5,
        )
        balanced = balanced_accuracy(labels, probabilities.argmax(axis=1), n_classes=2)
        judged = worth_a_look(labels, probabilities, label_suspects(labels, probabilities))
        hits = flipped[judged.suspects.indices]
        recall = f"{hits.sum() / flipped.sum():.2f}" if flipped.any() else ""
        estimated = precision(judged.contradicted, noise=rate)
        shares = (hits.mean(), estimated, hits[:100].mean()) if len(hits) else ()
        told = [f"{share:.2f}" for share in shares] or [""] * 3
        yield (
            f"| {source}, {flipped.sum()} of {len(split):,} | {balanced.value:.2f} | "
            f"{judged.n_contradicted} | {len(hits)} | {recall} | {' | '.join(told)} |"
        )


def time_of_many(n: int, seed: int) -> str:
    """How long the search for near copies takes among simulated pictures."""
    images = simulate(n, image_size=(28, 28), seed=seed, line_drawings=0.6).images.reshape(
        n, 28, 28, 1
    )
    started = time.monotonic()
    near = find_near_duplicates(images)
    return (
        f"{n:,} simulated pictures: {time.monotonic() - started:.0f} s, {len(near.pairs):,} pairs"
    )


def main() -> int:
    """The exit code, after the tables were printed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planted", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheets", type=Path, help="folder for contact sheets of what is found")
    arguments = parser.parse_args()
    if not (arguments.data / "quickdraw").is_dir():
        print(f"{arguments.data}: holds no quickdraw folder. Name one by --data.", file=sys.stderr)
        return 3
    has_photos = (arguments.data / "grocery").is_dir()
    print("| planted copies | number | found | missed |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="apple-clf-planted-") as folder:
        copy = Path(folder) / "quickdraw"
        for row in copies_found(arguments.data, copy, arguments.seed, arguments.sheets):
            print(row, flush=True)
        for table in (photo_copies_found, framed_found) if has_photos else ():
            for row in table(arguments.data, Path(folder) / table.__name__, arguments.seed):
                print(row, flush=True)
    columns = ["wrong labels", "balanced accuracy", "contradicted", "listed", "recall"]
    columns += ["precision", "estimated", "of the first 100"]
    print(f"\n| {' | '.join(columns)} |\n{'|---' * len(columns)}|", flush=True)
    for source, rates in FLIPPED.items():
        if (arguments.data / source).is_dir():
            for row in flipped_found(arguments.data, source, rates, arguments.seed):
                print(row, flush=True)
    print(f"\n{time_of_many(MANY, arguments.seed)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
