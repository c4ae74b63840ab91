"""Prints how each export of some runs agrees with Keras, how large and how fast it is.

    python -m benchmarks.exports RUN...

A run's data must lie where they lay. The time is that of one picture, handed over by itself, in
this process and on one thread; the formats take turns, since the machine may be busy.
"""

import argparse
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from apple_clf.arrays import UInt8Array
from apple_clf.data.recorded_data import load_recorded_data
from apple_clf.exporting.agreement import Answers
from apple_clf.exporting.forms import FORMS
from apple_clf.exporting.writing import Exported, default_target, export
from apple_clf.model.keras_file.loading import load_keras_model
from apple_clf.runs import Run

HEAD = (
    "| run | export | same answers | probabilities differ by | balanced accuracy (Keras) | kB | "
    "us a picture (min-max) |\n|---|---|---|---|---|---|---|"
)
ROUNDS = 7
A_ROUND = 100
"""Pictures that a format answers before the next one has its turn."""


@dataclass(frozen=True)
class Row:
    """One export of one run."""

    exported: Exported
    microseconds: list[float]  # a round each

    def __str__(self) -> str:
        found = self.exported.agreement
        cells = (
            Path(self.exported.run).name,
            self.exported.format,
            f"{found.same_answers} of {found.n_images}",
            f"{found.largest_difference:.1e}",
            f"{found.balanced_accuracy:.4f} ({found.keras_balanced_accuracy:.4f})",
            f"{self.exported.n_bytes / 1000:,.0f}",
            spread(self.microseconds),
        )
        return f"| {' | '.join(cells)} |"


def spread(values: list[float]) -> str:
    """Median and range."""
    return f"{median(values):.0f} ({min(values):.0f}-{max(values):.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    print(HEAD)
    for path in parser.parse_args().runs:
        measure(Run(path))


def measure(run: Run) -> None:
    """Prints the rows of a run."""
    pictures = load_recorded_data(run).test.images[:A_ROUND]
    model = load_keras_model(run)
    with TemporaryDirectory() as folder:
        exports = {
            name: export(run, name, target=Path(folder) / default_target(run, name))
            for name in FORMS
        }
        answers = {name: FORMS[name].open(found.path) for name, found in exports.items()}
        answers["Keras"] = lambda pixels: model(pixels, training=False).numpy()
        times = take_turns(answers, pictures)
    for name, found in exports.items():
        print(Row(found, times[name]), flush=True)
    cells = [run.name, "Keras itself", "", "", "", f"{run.keras_model.stat().st_size / 1000:,.0f}"]
    print(f"| {' | '.join(cells)} | {spread(times['Keras'])} |", flush=True)


def take_turns(answers: Mapping[str, Answers], pictures: UInt8Array) -> dict[str, list[float]]:
    """Microseconds a picture of each format, round by round; the first round is thrown away."""
    times: dict[str, list[float]] = {name: [] for name in answers}
    for _ in range(1 + ROUNDS):
        for name, answer in answers.items():
            started = time.perf_counter()
            for i in range(len(pictures)):
                answer(pictures[i : i + 1])
            times[name].append((time.perf_counter() - started) / len(pictures) * 1e6)
    return {name: rounds[1:] for name, rounds in times.items()}


if __name__ == "__main__":
    main()
