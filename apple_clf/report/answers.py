"""How good the answers are: metrics, what is taken for what, and images to look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from apple_clf.metrics.catalogue import METRICS, words_of
from apple_clf.plots.confusion import most_frequent_mistakes, shares
from apple_clf.plots.pixels import picture_uri
from apple_clf.report.reading import RunFiles

MAX_MATRIX = 12  # classes
MAX_CONFUSIONS = 20


def metrics_table(files: RunFiles) -> list[dict[str, Any]]:
    """A row per metric: its value, interval, and the interval's place and width of 100."""
    rows = []
    for name, estimate in files.metrics["metrics"].items():
        row = {"name": words_of(name), **estimate, "bar": None}
        if estimate["value"] is not None and max(estimate["value"], estimate["high"]) <= 1:
            row["bar"] = _bar(estimate, least=METRICS[name].low if name in METRICS else 0)
        rows.append(row)
    return rows


def _bar(estimate: Mapping[str, Any], *, least: float) -> list[float]:
    """Place and width of an interval on a line of 100 from the least possible value to 1."""
    low, high = (100 * (estimate[end] - least) / (1 - least) for end in ("low", "high"))
    return [round(min(low, 99.0), 1), round(max(1.0, high - low), 1)]


@dataclass(frozen=True)
class Confusion:
    """Counts by true and answered class, as a matrix or as a list of the most frequent mistakes."""

    class_names: tuple[str, ...]
    rows: list[list[dict[str, Any]]]  # empty with many classes
    mistakes: list[dict[str, Any]]
    n_images: list[int]  # by true class


def confusion(files: RunFiles) -> Confusion:
    """What was taken for what."""
    counts = np.array(files.metrics["confusion_matrix"]["counts"])
    names, share = files.class_names, shares(counts)
    cells = [
        [
            {"count": int(counts[i, j]), "share": share[i, j], "shade": round(share[i, j] * 8)}
            for j in range(len(names))
        ]
        for i in range(len(names))
    ]
    mistakes = [
        {"true": names[i], "answered": names[j], "count": int(counts[i, j]), "share": share[i, j]}
        for i, j in most_frequent_mistakes(counts, limit=MAX_CONFUSIONS)
    ]
    return Confusion(
        names, cells if len(names) <= MAX_MATRIX else [], mistakes, counts.sum(axis=1).tolist()
    )


@dataclass(frozen=True)
class Picture:
    """One image of the gallery."""

    uri: str
    said: str
    confidence: float
    truth: str
    is_right: bool
    file: str


GROUPS = {
    "wrong": ("Surest mistakes", "Wrong, and sure of it: a wrong label, or something not learnt."),
    "close": ("Closest calls", "Nearest to being answered otherwise."),
    "unsure": ("Unsure", "Unlike anything it was trained on, by light, contrast and roughness."),
    "right": ("Surest right answers", "What it thinks the classes look like."),
}


@dataclass(frozen=True)
class Group:
    """Pictures with something in common."""

    title: str
    meaning: str
    pictures: list[Picture]


def gallery(files: RunFiles) -> list[Group]:
    """The images worth looking at."""
    kept, answers, names = files.gallery, files.predictions, files.class_names
    pictures = {}
    for row, image in zip(kept.rows.tolist(), kept.images, strict=True):
        answer, label = int(answers.predicted[row]), int(answers.labels[row])
        pictures[row] = Picture(
            uri=picture_uri(image),
            said=names[answer],
            confidence=float(answers.y_prob[row, answer]),
            truth=names[label],
            is_right=answer == label,
            file=answers.files[row],
        )
    return [
        Group(*GROUPS[name], [pictures[row] for row in kept.groups[name].tolist()])
        for name in GROUPS
    ]
