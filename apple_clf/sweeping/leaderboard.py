"""Trials -> the table of them, the best first, and the best one's experiment."""

import io
import json
from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from apple_clf.config import dump_experiment
from apple_clf.config.sweep import SweepPlan
from apple_clf.io.csv_rows import csv_writer
from apple_clf.io.files import printable
from apple_clf.sweeping.space import parameters_of
from apple_clf.sweeping.study import REASON, VALUES

TrialRecord = Mapping[str, Any]
"""A trial as the leaderboard shows it."""

STATUS = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "unfinished",
    TrialState.WAITING: "unfinished",
}


def leaderboard(plan: SweepPlan, trials: Sequence[FrozenTrial]) -> list[TrialRecord]:
    """A record of each trial: finished ones by value, the best first, then the others by number.

    A record has rank (from 1, None without a value), trial (from 0), status, metric, value (mean
    over seeds), spread (their standard deviation), values, epochs (of a pruned trial, when it was
    stopped), parameters, runs (names of their folders) and reason (why it failed).
    """
    best_last = plan.config.metric != "val_loss"
    finished = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    finished.sort(key=lambda t: (-_value(t) if best_last else _value(t), t.number))
    others = [trial for trial in trials if trial.state is not TrialState.COMPLETE]
    records = [_record(plan, trial, rank) for rank, trial in enumerate(finished, start=1)]
    return records + [_record(plan, trial, None) for trial in others]


def _value(trial: FrozenTrial) -> float:
    assert trial.value is not None
    return trial.value


def _record(plan: SweepPlan, trial: FrozenTrial, rank: int | None) -> TrialRecord:
    values = trial.user_attrs.get(VALUES, [])
    complete = set(trial.params) == set(plan.config.parameters)
    first = trial.number * plan.config.seeds + 1
    return {
        "rank": rank,
        "trial": trial.number,
        "status": STATUS[trial.state],
        "metric": plan.config.metric,
        "value": mean(values) if values else None,
        "spread": stdev(values) if len(values) > 1 else None,
        "values": values,
        "pruned_after": trial.last_step if trial.state is TrialState.PRUNED else None,
        "parameters": parameters_of(plan.config, trial.params) if complete else {},
        "runs": [
            f"{plan.experiment.name}-{number:03d}"
            for number in range(first, first + plan.config.seeds)
        ],
        "reason": trial.user_attrs.get(REASON),
    }


def columns(plan: SweepPlan) -> list[str]:
    """The leaderboard's columns in CSV."""
    tried = [f"parameters.{key}" for key in plan.config.parameters]
    return ["rank", "trial", "status", "metric", "value", "spread", *tried, "runs", "reason"]


def flat(record: TrialRecord) -> dict[str, object]:
    """A record with a cell for each column: lists and mappings as JSON, runs with spaces."""
    parameters = {
        f"parameters.{key}": json.dumps(value) if isinstance(value, list | dict) else value
        for key, value in record["parameters"].items()
    }
    return {**record, **parameters, "runs": " ".join(record["runs"])}


def leaderboard_csv(plan: SweepPlan, records: Sequence[TrialRecord]) -> str:
    """The content of leaderboard.csv."""
    text = io.StringIO()
    writer = csv_writer(text)
    writer.writerow(columns(plan))
    for record in records:
        cells = flat(record)
        writer.writerow([cells.get(column) for column in columns(plan)])
    return text.getvalue()


def best_yaml(plan: SweepPlan, records: Sequence[TrialRecord], *, name: str) -> str | None:
    """The experiment of the best trial, with what is to be known of it; None without one.

    Args:
        plan: of the sweep.
        records: its leaderboard.
        name: of the sweep's folder.
    """
    best = records[0] if records and records[0]["rank"] else None
    if best is None:
        return None
    lines = [
        f"The best of {len(records)} trials of {printable(name)}: trial {best['trial']}, run "
        f"{best['runs'][0]}.",
        f"{best['metric']} {best['value']:.4f}{_seeds(best)}. It was chosen by that number, which "
        "flatters it:",
        "of many trials the best was lucky too. What it is worth, the test images say.",
        *(f"  {key}: {json.dumps(value)}" for key, value in best["parameters"].items()),
    ]
    head = "".join(f"# {printable(line)}\n" for line in lines)
    experiment = plan.experiment_of(best["parameters"], repeat=0)
    return f"{head}\n{dump_experiment(experiment)}"


def _seeds(best: TrialRecord) -> str:
    if best["spread"] is None:
        return ""
    return f" (mean of {len(best['values'])} seeds, standard deviation {best['spread']:.4f})"
