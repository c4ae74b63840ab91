"""How good the probabilities are: as a ranking, taken at their word, cut at a threshold."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from apple_clf.arrays import BoolArray, FloatArray
from apple_clf.plots.reliability import reliability_charts
from apple_clf.plots.roc import roc_charts
from apple_clf.plots.svg import Axis, Chart, Line, draw
from apple_clf.report.reading import AbsentError, RunFiles

THRESHOLDS = np.arange(101) / 100


def ranking(files: RunFiles) -> list[Chart]:
    """ROC and precision-recall curves: of the positive class or, of more than two, of each."""
    answers = files.predictions
    charts = roc_charts(
        answers.labels, answers.y_prob, class_names=files.class_names, positive=files.positive
    )
    if not charts:
        raise AbsentError("Only one class is present, so there is no curve.")
    return charts


@dataclass(frozen=True)
class Calibration:
    """Whether probabilities can be taken at their word."""

    charts: list[Chart]
    before: float | None
    after: float
    temperature: float


def calibration(files: RunFiles) -> Calibration:
    """Accuracy against confidence, before and after the temperature."""
    answers = files.predictions
    temperature = float(files.metrics.get("decision", {}).get("temperature", 1.0))
    errors = files.metrics.get("calibration_error")
    after = files.metrics["metrics"]["expected_calibration_error"]["value"]
    if temperature == 1:
        charts = reliability_charts(answers.labels, {"as trained": answers.y_prob}, error=after)
        return Calibration(charts, None, after, temperature)
    raw = answers.y_prob**temperature  # what the softmax without it would give
    before = raw / raw.sum(axis=1, keepdims=True)
    probabilities = {"as trained": before, "after calibration": answers.y_prob}
    charts = reliability_charts(answers.labels, probabilities, error=after)
    return Calibration(charts, errors and errors["as_trained"], after, temperature)


@dataclass(frozen=True)
class Threshold:
    """What the threshold does."""

    chart: Chart
    threshold: float
    goal: str | None
    positive: str
    start: int  # the slider's place
    table: Mapping[str, list[float | None]]  # by name a number per place of the slider


def threshold(files: RunFiles) -> Threshold:
    """Precision, recall, F1 and balanced accuracy as the threshold moves from 0 to 1."""
    if len(files.class_names) != 2:
        raise AbsentError(
            f"There are {len(files.class_names)} classes, and the most probable one is answered: "
            "a threshold is for two."
        )
    answers, chosen = files.predictions, float(files.decision["threshold"])
    table = sweep(
        answers.y_prob[:, files.positive], answers.labels == files.positive, places=THRESHOLDS
    )
    told = ("balanced accuracy", "precision", "recall", "F1")
    lines = [Line(name, THRESHOLDS, table[name], style=i) for i, name in enumerate(told)]
    name = files.class_names[files.positive]
    return Threshold(
        draw(
            "Metrics by threshold",
            lines,
            x=Axis(f"probability from which the answer is {name}", 0, 1),
            y=Axis("", 0, 1),
            summary="Balanced accuracy, precision, recall and F1 by threshold; "
            f"{chosen:.3f} is used.",
            marker=chosen,
            marker_label=f"used: {chosen:.3f}",
        ),
        chosen,
        files.decision["threshold_goal"],
        name,
        round(chosen * 100),
        {
            key: [None if np.isnan(v) else round(float(v), 4) for v in values]
            for key, values in table.items()
        },
    )


def sweep(scores: FloatArray, truth: BoolArray, *, places: FloatArray) -> dict[str, FloatArray]:
    """Counts and metrics at each threshold, by name; NaN where one is undefined.

    Args:
        scores: probability of the positive class, (n,).
        truth: whether it is the positive class, bool, (n,).
        places: thresholds, (n_places,); an image is called positive from there on.
    """
    hits = np.sum(truth) - np.searchsorted(np.sort(scores[truth]), places, side="left")
    alarms = np.sum(~truth) - np.searchsorted(np.sort(scores[~truth]), places, side="left")
    n_positive, n_negative = float(np.sum(truth)), float(np.sum(~truth))
    with np.errstate(invalid="ignore", divide="ignore"):
        recall, specificity = hits / n_positive, 1 - alarms / n_negative
        return {
            "balanced accuracy": (recall + specificity) / 2,
            "precision": hits / (hits + alarms),
            "recall": recall,
            "F1": 2 * hits / (hits + alarms + n_positive),
            "found": hits.astype(np.float64),
            "missed": n_positive - hits,
            "false alarms": alarms.astype(np.float64),
            "left alone": n_negative - alarms,
        }
