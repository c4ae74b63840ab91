"""Leaderboard -> pictures: the best trials, what mattered, and which values went together."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from apple_clf.plots.trials import best_trials_plot, importance_plot, parallel_coordinates_plot
from apple_clf.sweeping.progress import in_words

if TYPE_CHECKING:
    from apple_clf.sweeping.leaderboard import TrialRecord

MOST_SHOWN = 15
"""Trials in the picture of the best."""
FEWEST = 2
"""Finished trials without which there is nothing to compare."""


def draw(
    records: "Sequence[TrialRecord]", *, metric: str, importance: Mapping[str, float]
) -> dict[str, bytes]:
    """PNG pictures by name; none where fewer than two trials finished.

    Args:
        records: the leaderboard.
        metric: what its values are.
        importance: share of each parameter in them, from 0 to 1; may be empty.
    """
    finished = [record for record in records if record["rank"] is not None]
    if len(finished) < FEWEST:
        return {}
    best = finished[:MOST_SHOWN]
    keys = list(finished[0]["parameters"])
    columns = [[record["parameters"][key] for record in finished] for key in keys]
    pictures = {
        "leaderboard": best_trials_plot(
            [_label(record) for record in best],
            [record["value"] for record in best],
            [record["spread"] or 0.0 for record in best],
            metric=metric,
        ),
        "parallel_coordinates": parallel_coordinates_plot(
            [key.rpartition("training.")[2] for key in (*keys, metric)],
            [*columns, [record["value"] for record in finished]],
        ),
    }
    return pictures | ({"importance": importance_plot(importance)} if importance else {})


def _label(record: "TrialRecord") -> str:
    short = {key.rpartition(".")[2]: value for key, value in record["parameters"].items()}
    return f"{record['trial']}: {in_words(short)}"
