"""Prints how well the diagnosis finds known faults, how often it cries wolf, and if its edits help.

Each training is an ordinary one, from the experiment to the files of its run, but for the pictures.
A fault is *found* if its finding is among those told; the edit *helps* if, trained again with it,
the finding is gone. A finding whose cause lies in the data proposes no edit and is not counted
there. Thresholds were set on seeds from 100 on; this reports seeds from 0.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.diagnosis_faults import BASE, FAULTS, HEALTHY, Recipe, prepared


class Trial(NamedTuple):
    """What to train: a recipe with its seed."""

    name: str  # of the finding, or of the healthy kind
    recipe: Recipe
    seed: int


class Outcome(NamedTuple):
    """What was told of a trial."""

    trial: Trial
    found: tuple[str, ...]
    edit: tuple[str, ...]  # for the finding sought
    after: tuple[str, ...] | None  # told once the edit was made; None if there was none


def main() -> int:
    """0, after the table was printed."""
    arguments = _arguments()
    started = time.monotonic()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    faults = [
        Trial(name, FAULTS[name][seed % 2], seed) for name in arguments.only for seed in seeds
    ]
    healthy = [
        Trial(name, HEALTHY[name], seed) for name in HEALTHY for seed in seeds[: arguments.healthy]
    ]
    outcomes: list[Outcome] = []
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        for outcome in pool.imap_unordered(_try, [*faults, *healthy]):
            outcomes.append(outcome)
            print(f"{len(outcomes)} {_told(outcome)}", file=sys.stderr, flush=True)
    print("\n".join(_table(outcomes, arguments.only)))
    print(f"took {time.monotonic() - started:.0f} s", file=sys.stderr)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.diagnosis", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="of each fault")
    parser.add_argument("--healthy", type=int, default=5, help="of these, for each healthy kind")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--only", nargs="+", choices=FAULTS, default=list(FAULTS))
    return parser.parse_args()


def _try(trial: Trial) -> Outcome:
    """A trial trained, diagnosed and, if it is one of a fault, trained again with the edit."""
    with tempfile.TemporaryDirectory(prefix="apple-clf-bench-") as name:
        folder = Path(name)
        overrides = prepared(trial.recipe, seed=trial.seed, folder=folder)
        findings = _diagnosed(overrides, folder)
        edit = findings.get(trial.name, ())
        after = tuple(_diagnosed((*overrides, *edit), folder)) if edit else None
    return Outcome(trial, tuple(findings), edit, after)


def _diagnosed(overrides: Recipe, folder: Path) -> dict[str, tuple[str, ...]]:
    """The edit of each finding of a training, by name."""
    from apple_clf.config import parse_experiment
    from apple_clf.diagnosis import diagnose, read_record
    from apple_clf.errors import DivergedError
    from apple_clf.model.backend import forget_models
    from apple_clf.pipeline import saving
    from apple_clf.pipeline.workflow import train
    from apple_clf.runs import list_runs

    os.environ["APPLE_CLF_CACHE"] = str(folder / "cache")
    vars(saving)["draw_evaluation"] = lambda *_: {}  # pictures take longer than these trainings
    vars(saving)["draw_history"] = lambda *_, **__: b""
    forget_models()
    experiment = parse_experiment(BASE, filename="base", overrides=overrides)
    try:
        run = train(experiment, source=BASE.encode(), folder=folder / "runs")
    except DivergedError:
        run = list_runs(folder / "runs")[-1]
    return {finding.name: finding.edit for finding in diagnose(read_record(run))}


def _told(outcome: Outcome) -> str:
    trial = outcome.trial
    after = "" if outcome.after is None else f" -> {', '.join(outcome.after) or 'nothing'}"
    return f"{trial.name} {trial.seed}: {', '.join(outcome.found) or 'nothing'}{after}"


def _table(outcomes: Sequence[Outcome], names: Sequence[str]) -> list[str]:
    """Lines of Markdown: a row per finding, then what was told of healthy trainings."""
    healthy = [outcome for outcome in outcomes if outcome.trial.name in HEALTHY]
    alarms = Counter(name for outcome in healthy for name in outcome.found)
    lines = [
        "| finding | found | told besides | false alarms in healthy runs | edit helps |",
        "|---|---|---|---|---|",
    ]
    for name in names:
        trials = [outcome for outcome in outcomes if outcome.trial.name == name]
        found = [outcome for outcome in trials if name in outcome.found]
        edited = [outcome.after for outcome in found if outcome.after is not None]
        helped = sum(name not in after for after in edited)
        besides = sum(len(outcome.found) - (name in outcome.found) for outcome in trials)
        lines.append(
            f"| {name} | {len(found)} of {len(trials)} | {besides} | "
            f"{alarms[name]} of {len(healthy)} | "
            + (f"{helped} of {len(edited)} |" if edited else "none: it lies in the data |")
        )
    lines.append(f"| all | | | {sum(alarms.values())} of {len(healthy)} | |")
    return lines


if __name__ == "__main__":
    sys.exit(main())
