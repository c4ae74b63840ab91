"""How good the probabilities are: as a ranking, taken at their word, cut at a threshold."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from apple_clf.arrays import BoolArray, FloatArray
from apple_clf.metrics import precision_recall_curve, reliability_curve, roc_curve, wilson
from apple_clf.metrics.curves import ReliabilityCurve
from apple_clf.report.charts import Axis, Bars, Chart, Line, draw
from apple_clf.report.reading import AbsentError, RunFiles

MAX_CURVES = 8  # classes, those with the most images
THRESHOLDS = np.arange(101) / 100


def ranking(files: RunFiles) -> list[Chart]:
    """ROC and precision-recall curves: of the positive class or, of more than two, of each."""
    answers, names = files.predictions, files.class_names
    counts = np.bincount(answers.labels, minlength=len(names))
    present = [int(code) for code in np.argsort(-counts, kind="stable") if counts[code]]
    if len(present) < 2:
        raise AbsentError("Only one class is present, so there is no curve.")
    drawn = [files.positive] if len(names) == 2 else present[:MAX_CURVES]
    roc, recall = [], []
    for style, code in enumerate(drawn):
        curve = roc_curve(answers.labels, answers.y_prob, positive=code)
        area = float(np.trapezoid(curve.true_positive_rate, curve.false_positive_rate))
        across, up = _thinned(curve.false_positive_rate, curve.true_positive_rate)
        roc.append(Line(names[code], across, up, f"area {area:.3f}", style))
        points = precision_recall_curve(answers.labels, answers.y_prob, positive=code)
        across, up = _thinned(points.recall, points.precision)
        recall.append(Line(names[code], across, up, f"{counts[code]:,} images", style))
    told = "; ".join(f"{line.label} {line.value}" for line in roc)
    return [
        draw(
            "ROC curve",
            roc,
            x=Axis("false positive rate", 0, 1),
            y=Axis("true positive rate", 0, 1),
            summary=f"ROC curve: {told}. The faint diagonal is guessing.",
            diagonal=True,
        ),
        draw(
            "Precision and recall",
            recall,
            x=Axis("recall", 0, 1),
            y=Axis("precision", 0, 1),
            summary="Precision against recall: "
            + "; ".join(f"{line.label}, {line.value}" for line in recall)
            + ".",
        ),
    ]


def _thinned(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The points of a curve in the unit square that can be told apart in a chart."""
    at = np.column_stack((np.rint(x * 200), np.rint(y * 200)))
    kept = np.append(True, np.any(np.diff(at, axis=0) != 0, axis=1))
    kept[-1] = True
    return x[kept], y[kept]


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
    now = reliability_curve(answers.labels, answers.y_prob)
    if temperature == 1:
        return Calibration(_reliability({"as trained": now}, after), None, after, temperature)
    raw = answers.y_prob**temperature  # what the softmax without it would give
    before = reliability_curve(answers.labels, raw / raw.sum(axis=1, keepdims=True))
    curves = {"as trained": before, "after calibration": now}
    return Calibration(
        _reliability(curves, after), errors and errors["as_trained"], after, temperature
    )


def _reliability(curves: Mapping[str, ReliabilityCurve], error: float) -> list[Chart]:
    """Charts of the curves, of which the last is the one in use, and of their images."""
    (*_, (label, curve)) = curves.items()
    styles = range(len(curves) - 1, -1, -1)
    lines = [
        Line(name, each.confidence, each.accuracy, style=style, dots=True)
        for style, (name, each) in zip(styles, curves.items(), strict=True)
    ]
    lines[-1] = replace(lines[-1], spread=_intervals(curve))
    counts = [each.counts.astype(np.float64) for each in curves.values()]
    confidence = Axis("confidence: probability of the answer", 0, 1)
    return [
        draw(
            "Right as often as it is sure?",
            lines,
            x=confidence,
            y=Axis("accuracy, 95 % interval", 0, 1),
            summary=f"Accuracy by confidence. Expected calibration error {error:.3f} {label}. "
            "On the faint diagonal, answers are right as often as they say.",
            diagonal=True,
        ),
        draw(
            "How sure it is",
            [],
            x=confidence,
            y=Axis("images", 0, 1.05 * max(float(each.max()) for each in counts), whole=True),
            summary=f"Images by confidence, in {len(curve.counts)} bins; "
            f"{curve.counts[-1]:,} of {curve.counts.sum():,} in the surest.",
            bars=[Bars(each, style) for style, each in zip(styles, counts, strict=True)],
        ),
    ]


def _intervals(curve: ReliabilityCurve) -> tuple[FloatArray, FloatArray]:
    """Both ends of each bin's 95 % interval of the accuracy; NaN if it is empty."""
    low, high = np.full((2, len(curve.counts)), np.nan)
    for i in np.flatnonzero(curve.counts):
        interval = wilson(round(curve.accuracy[i] * curve.counts[i]), int(curve.counts[i]))
        low[i], high[i] = interval.low, interval.high
    return low, high


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
