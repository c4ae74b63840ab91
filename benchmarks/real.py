"""Prints how good the recipes are on pictures of another making; `make bench-real`.

    python -m benchmarks.real [--data FOLDER] [--seeds 5] [--runs FOLDER] [--split test|train]
                              [--only page,paper] [--recipes dense,conv] [--set KEY=VALUE]...

Drawings of quickdraw/<split> are drawn again by another hand: with a pointer on the served page, on
paper before a phone, faint, enlarged, framed (`benchmarks.paper` says how). Photos, noise and blank
pictures go to the models of drawings, drawings to the model of photos. The test split is for
reporting; to choose between recipes use --split train, whose pictures are made with other pens,
papers and tables. With --runs the trainings and the pictures are kept there, and what is there
already is not made again.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from statistics import mean, median

from PIL import Image

from apple_clf.images import loading
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.prediction.inference import Predictor
from benchmarks.accuracy import Laboratory, Trained
from benchmarks.albums import Albums
from benchmarks.answers import SURE, Figures, answered, figures, figures_when_trained, served
from benchmarks.bitmaps import BITMAPS
from benchmarks.measure import in_pairs
from benchmarks.photographs import PAPER
from benchmarks.workshop import APPLE_CLF, PYTHON, ROOT

SEEDS = {"train": 11, "test": 23}
PAIRS = 9
HEAD = (
    "| pictures | recipe | balanced accuracy | unsure | accuracy among the sure "
    f"| wrong above {SURE} | the same, unsure or not | target | met? |\n"
    "|---|---|---|---|---|---|---|---|---|"
)
SPEED_HEAD = "| what | ours | peer's | ratio: median (min-max, pairs) |\n|---|---|---|---|"
NOTE = f"""
Each figure is the mean over the seeds, in brackets the least and the largest. Unsure: the share
answered `unsure`. Accuracy among the sure: of the pictures answered otherwise. Wrong above {SURE}:
the share of all pictures whose class is wrong with a probability above {SURE} and that are not
answered `unsure`; the column after it counts those answered `unsure` too.
"""


@dataclass(frozen=True)
class Recipe:
    """A recipe, what it learns from, and what it should reach on its own test images."""

    name: str
    config: str
    data: str | None  # folder within the data, or None: simulated
    own: float | None = None


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("dense", "quickdraw.yaml", "quickdraw", 0.958),
        Recipe("conv", "quickdraw_conv.yaml", "quickdraw", 0.973),
        Recipe("embedded", "default.yaml", None),
        Recipe("photos", "photos.yaml", "grocery"),
    )
}
GROUPS = {
    "own": ["own"],
    "page": ["page"],
    "ink": [name for name in BITMAPS if name.startswith("ink")],
    "enlarged": [name for name in BITMAPS if name.startswith("enlarged")],
    "framed": ["framed"],
    "paper": list(PAPER),
    "strangers": ["photos", "noise", "blank", "empty sheets"],
    "foreign": ["drawings"],
    "speed": ["speed"],
}
FOREIGN = ("drawings", "page", "fibre", "pencil", "mixed")
"""Drawings that are shown to the model of photos."""


@dataclass(frozen=True)
class Goal:
    """What the mean of a figure is held to."""

    figure: str
    limit: float
    least: bool  # else it is the most

    def met(self, means: Figures) -> bool:
        """Whether it is reached; a figure that is not defined never reaches it."""
        value = means[self.figure]
        return value >= self.limit if self.least else value <= self.limit

    def __str__(self) -> str:
        sign = ">=" if self.least else "<="
        return f"{FIGURES[self.figure]} {sign} {self.limit:.3f}"


FIGURES = {
    "accuracy": "accuracy", "unsure": "unsure", "sure": "among the sure", "wrong": "wrong",
}  # fmt: skip


def goals(condition: str, recipe: Recipe, *, reference: float) -> list[Goal]:
    """What a recipe is held to under a condition.

    Args:
        condition: name of a set of pictures.
        recipe: the one that answers.
        reference: its balanced accuracy on pictures as it learnt from.
    """
    if condition in GROUPS["strangers"] or recipe.name == "photos":
        held = condition not in ("own", "empty sheets")
        return [Goal("unsure", 0.95, least=True)] if held else []
    found = [Goal("wrong", 0.03, least=False)]
    if recipe.own is None:
        return found
    if condition == "own":
        return [Goal("accuracy", recipe.own, least=True), *found]
    if condition == "page" or condition in GROUPS["enlarged"]:
        found += [Goal("accuracy", reference - 0.03, least=True), Goal("unsure", 0.05, least=False)]
    if condition in PAPER and recipe.name == "conv":
        if condition == "mixed":
            found += [Goal("accuracy", 0.88, least=True), Goal("sure", 0.95, least=True)]
        else:
            found += [Goal("accuracy", 0.93, least=True), Goal("unsure", 0.1, least=False)]
    return found


def row(condition: str, recipe: str, seeds: Sequence[Figures], held_to: Sequence[Goal]) -> str:
    """A line of the table."""
    means = {name: mean(each[name] for each in seeds) for name in seeds[0]}
    columns = ("accuracy", "unsure", "sure", "wrong", "wrong_or_unsure")
    cells = [_cell([each[name] for each in seeds if name in each]) for name in columns]
    target = ", ".join(map(str, held_to)) or "report"
    missed = [FIGURES[goal.figure] for goal in held_to if not goal.met(means)]
    verdict = "-" if not held_to else f"**missed**: {', '.join(missed)}" if missed else "yes"
    return f"| {' | '.join([condition, recipe, *cells, target, verdict])} |"


def _cell(values: Sequence[float]) -> str:
    values = [value for value in values if not isnan(value)]
    if not values:
        return "-"
    return f"{mean(values):.3f} ({min(values):.3f}-{max(values):.3f})"


@dataclass(frozen=True)
class Judge:
    """Trainings, and the pictures they are judged by."""

    laboratory: Laboratory
    albums: Albums
    settings: Sequence[str]

    def trained(self, recipe: Recipe) -> list[Trained]:
        """A run for each seed."""
        place = [f"data.path={self.laboratory.data / recipe.data}"] if recipe.data else []
        return self.laboratory.train(recipe.config, *place, *self.settings)

    def reference(self, recipe: Recipe) -> float:
        """Mean balanced accuracy on a recipe's own test images or, to choose, on training ones."""
        name = "own" if self.albums.split == "test" else "ink-light-100"
        return mean(each["accuracy"] for each in self.figures(name, recipe)) if recipe.own else 1.0

    def figures(self, condition: str, recipe: Recipe) -> list[Figures]:
        """What comes out under a condition, for each seed."""
        runs = [each.run for each in self.trained(recipe)]
        if condition == "own":
            return [figures_when_trained(run) for run in runs]
        pictures = self.albums.pictures(condition)
        labels = None if recipe.data == "grocery" else pictures.labels
        if condition == "page" and recipe.data != "grocery":
            answers = served([run.path for run in runs], pictures.files)
        else:
            predictors = [Predictor.load(run) for run in runs]
            contract = predictors[0].record.preprocessing
            pixels = self.albums.prepared(condition, contract)
            answers = [answered(predictor, pixels) for predictor in predictors]
        return [figures(each, labels) for each in answers]


def speed(judge: Judge, recipe: Recipe) -> Iterator[str]:
    """Lines of a table of their own: `predict` from its start, and reading a large photo."""
    run = judge.trained(recipe)[0].run
    contract = Predictor.load(run).record.preprocessing
    large = judge.albums.pictures("large").files
    pairs = [
        (_seconds_to_load(file, contract), _seconds_to_decode(file)) for file in [*large] * PAIRS
    ]
    name = f"`loading.load` of 12 megapixels, {recipe.name}, against Pillow's decoding to gray"
    yield _speed_row(name, pairs)
    for what, file in (
        ("a photo of 12 megapixels", large[0]),
        ("a bitmap", judge.albums.pictures("drawings").files[0]),
    ):
        ours: list[str | Path] = [APPLE_CLF, "predict", file, "--run", run.path]
        peer = [PYTHON, "-c", "import numpy, PIL.Image"]
        measured = in_pairs(ours, peer, pairs=PAIRS, env=os.environ)
        times = [
            (our.seconds, other.seconds)
            for our, other in zip(measured.ours, measured.peer, strict=True)
        ]
        yield _speed_row(
            f"`predict` of {what}, {recipe.name}, against starting Python, NumPy and Pillow", times
        )


def _speed_row(name: str, pairs: Sequence[tuple[float, float]]) -> str:
    ratios = [ours / peer for ours, peer in pairs]
    ours, peer = (median(side) for side in zip(*pairs, strict=True))
    spread = f"{min(ratios):.2f}-{max(ratios):.2f}, {len(ratios)}"
    return f"| {name} | {ours:.3f} s | {peer:.3f} s | {median(ratios):.2f} ({spread}) |"


def _seconds_to_load(file: Path, contract: Preprocessing) -> float:
    started = time.perf_counter()
    loading.load(file, contract)
    return time.perf_counter() - started


def _seconds_to_decode(file: Path) -> float:
    started = time.perf_counter()
    with Image.open(file) as image:
        image.convert("L").load()
    return time.perf_counter() - started


def conditions(only: Sequence[str], recipe: Recipe) -> list[str]:
    """The sets that a recipe is shown, of those named by themselves or by their group."""
    named = {name for word in only for name in GROUPS.get(word, [word])}
    if recipe.data == "grocery":
        foreign = FOREIGN if "foreign" in only else ()
        return [name for name in ("own", *FOREIGN) if name in foreign or name in {"own"} & named]
    return [name for names in list(GROUPS.values())[:-2] for name in names if name in named]


def table(judge: Judge, recipes: Sequence[Recipe], only: Sequence[str]) -> Iterator[str]:
    """The lines of the table, a condition after the other."""
    shown = {recipe.name: conditions(only, recipe) for recipe in recipes}
    names = list(dict.fromkeys(name for some in shown.values() for name in some))
    judge.albums.make([*names, "ink-light-100"])
    yield HEAD
    for name in names:
        for recipe in recipes:
            if name in shown[recipe.name]:
                held_to = goals(name, recipe, reference=judge.reference(recipe))
                yield row(name, recipe.name, judge.figures(name, recipe), held_to)
    yield NOTE
    if "speed" in only:
        judge.albums.make(["large"])
        yield SPEED_HEAD
        for recipe in recipes:
            yield from speed(judge, recipe)


def main() -> int:
    """The exit code, after the table was printed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.real",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--runs", type=Path, help="keep trainings and pictures in this folder")
    parser.add_argument("--split", choices=list(SEEDS), default="test")
    parser.add_argument("--per-condition", type=int, default=200)
    parser.add_argument("--only", default=",".join(GROUPS), metavar="page,mixed")
    parser.add_argument("--recipes", default=",".join(RECIPES), metavar="dense,conv")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    if not (arguments.data / "quickdraw").is_dir():
        print(f"{arguments.data}: holds no quickdraw folder. Name one by --data.", file=sys.stderr)
        return 3
    recipes = [RECIPES[name] for name in arguments.recipes.split(",")]
    only = arguments.only.split(",")
    if arguments.split == "train":  # nothing of what is for reporting
        only = [name for name in only if name != "own"]
    with tempfile.TemporaryDirectory(prefix="apple-clf-real-") as folder:
        place = arguments.runs or Path(folder)
        albums = Albums(
            place,
            data=arguments.data,
            split=arguments.split,
            seed=SEEDS[arguments.split],
            n=arguments.per_condition,
        )
        laboratory = Laboratory(arguments.data, place, arguments.seeds)
        for line in table(Judge(laboratory, albums, arguments.set), recipes, only):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
