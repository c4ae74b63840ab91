"""Finished runs -> what differs in them, and which is better, as numbers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Literal

import numpy as np

from apple_clf.comparison.chance import LEVEL, holm
from apple_clf.comparison.experiments import differences
from apple_clf.comparison.groups import SEVERAL, Group, group_by_seed, labels, without_seed
from apple_clf.comparison.paired import (
    accuracy_difference,
    balanced_accuracy_difference,
    roc_auc_difference,
)
from apple_clf.comparison.reading import Answers, on_same_images, read_judged
from apple_clf.comparison.spread import Difference
from apple_clf.comparison.unpaired import independent_difference
from apple_clf.runs import Run

JUDGED_BY = "balanced_accuracy"
TESTED = (JUDGED_BY, "accuracy", "roc_auc")


@dataclass(frozen=True)
class Pair:
    """A group held against the first one."""

    first: Group
    second: Group
    same_images: bool
    differences: dict[
        str, Difference
    ]  # second less first, by metric; what is undefined is left out
    corrected_p: float | None = None  # of `JUDGED_BY`, for as many pairs as there are

    @property
    def outcome(self) -> Literal["better", "worse", "indistinguishable", "undefined"]:
        """What the second is: better or worse if neither test nor interval leaves it to chance."""
        found = self.differences.get(JUDGED_BY)
        if found is None or self.corrected_p is None:
            return "undefined"
        if self.corrected_p >= LEVEL or found.low <= 0 <= found.high:
            return "indistinguishable"
        return "better" if found.value > 0 else "worse"


@dataclass(frozen=True)
class Comparison:
    """All that is known of runs side by side."""

    groups: Sequence[Group]
    experiment: dict[str, tuple[object, ...]]  # keys that differ: a value for each group
    data: dict[str, tuple[str, ...]]  # likewise, what they learnt from
    pairs: Sequence[Pair]  # each other group against the first

    def as_dict(self) -> dict[str, object]:
        """The comparison as JSON shows it."""
        return {
            "groups": [
                {
                    "name": group.label,
                    "runs": [str(run.run.path) for run in group.runs],
                    "data": group.data,
                    "metrics": {name: asdict(each) for name, each in group.metrics.items()},
                }
                for group in self.groups
            ],
            "experiment": {key: list(values) for key, values in self.experiment.items()},
            "data": {key: list(values) for key, values in self.data.items()},
            "comparisons": [
                {
                    "first": pair.first.label,
                    "second": pair.second.label,
                    "same_images": pair.same_images,
                    "images": [pair.first.runs[0].n_images, pair.second.runs[0].n_images],
                    "outcome": pair.outcome,
                    "corrected_p": pair.corrected_p,
                    "differences": {
                        name: asdict(difference) for name, difference in pair.differences.items()
                    },
                }
                for pair in self.pairs
            ],
        }


def compare(runs: Sequence[Run]) -> Comparison:
    """What differs in runs, and how the metrics of the others differ from the first one's.

    Runs of one experiment that differ in nothing but the seed are taken together, unless all are.

    Args:
        runs: two or more that are finished, trained here or imported.

    Raises:
        ArtifactError: a run is not finished or damaged.
        ConfigError: one comes twice.
    """
    named = zip(runs, labels(runs), strict=True)
    groups = group_by_seed([read_judged(run, label=label) for run, label in named])
    alone = all(len(group.runs) == 1 for group in groups)
    experiments = [group.runs[0].experiment for group in groups]
    if not alone:
        experiments = [each and without_seed(each) for each in experiments]
    pairs = [_pair(groups[0], group) for group in groups[1:]]
    return Comparison(
        groups=groups,
        experiment=differences(experiments),
        data=_differing([group.data for group in groups]),
        pairs=_corrected(pairs),
    )


def _differing(rows: Sequence[dict[str, str]]) -> dict[str, tuple[str, ...]]:
    keys = dict.fromkeys(chain.from_iterable(rows))
    columns = {key: tuple(row.get(key, "0") for row in rows) for key in keys}
    return {
        key: values
        for key, values in columns.items()
        if len(set(values)) > 1 or SEVERAL in values  # two that are several need not be the same
    }


def _pair(first: Group, second: Group) -> Pair:
    answers = on_same_images([*first.runs, *second.runs])
    n = len(first.runs)
    found = _paired(answers[:n], answers[n:]) if answers else {}
    for metric in TESTED:  # those on different images, and areas that leave no spread
        if metric not in found:
            difference = independent_difference(first.estimates(metric), second.estimates(metric))
            if difference:
                found[metric] = difference
    ordered = {metric: found[metric] for metric in TESTED if metric in found}
    return Pair(first, second, answers is not None, ordered)


def _paired(first: Sequence[Answers], second: Sequence[Answers]) -> dict[str, Difference]:
    labels = first[0].labels
    correct = [np.stack([each.correct for each in side]) for side in (first, second)]
    found = {"accuracy": accuracy_difference(*correct)}
    if len(np.unique(labels)) > 1:
        found[JUDGED_BY] = balanced_accuracy_difference(*correct, labels=labels)
        probabilities = [
            np.stack([each.probabilities for each in side]) for side in (first, second)
        ]
        if area := roc_auc_difference(*probabilities, labels=labels):
            found["roc_auc"] = area
    return found


def _corrected(pairs: Sequence[Pair]) -> list[Pair]:
    judged = [pair for pair in pairs if JUDGED_BY in pair.differences]
    p_values = iter(holm([pair.differences[JUDGED_BY].p for pair in judged]))
    return [
        Pair(
            pair.first,
            pair.second,
            pair.same_images,
            pair.differences,
            next(p_values) if JUDGED_BY in pair.differences else None,
        )
        for pair in pairs
    ]
