"""The probability from which an image is called positive, chosen for a goal."""

import re
from dataclasses import dataclass

import numpy as np

from apple_clf.arrays import FloatArray, IntArray
from apple_clf.metrics.curves import roc_curve

_GOALS = r"balanced_accuracy|f1|(precision|recall)>=[0-9.]+"


@dataclass(frozen=True)
class ThresholdChoice:
    """A threshold, and what it comes to on the images that it was chosen on."""

    threshold: float
    goal: str
    value: float  # of the goal's metric
    reached: bool  # False for a precision that no threshold gives; it is then the nearest one


@dataclass(frozen=True)
class _Candidates:
    """What each possible threshold comes to, the highest first, (n,) each."""

    thresholds: FloatArray
    precision: FloatArray
    recall: FloatArray
    balanced_accuracy: FloatArray

    @property
    def f1(self) -> FloatArray:
        total = np.maximum(self.precision + self.recall, np.finfo(np.float64).tiny)
        harmonic: FloatArray = 2 * self.precision * self.recall / total
        return harmonic


def choose_threshold(
    y_true: IntArray, y_prob: FloatArray, *, positive: int, goal: str
) -> ThresholdChoice:
    """The threshold that serves a goal best, in the middle between two neighbouring probabilities.

    Of thresholds that serve it alike, the one nearest to 0.5 is taken. For a least precision that
    is the one with the most recall, for a least recall the one with the most precision.

    Args:
        y_true: class codes, int, (n,), both classes present.
        y_prob: probabilities of two classes, float, (n, 2), from images not trained on.
        positive: class code.
        goal: balanced_accuracy, f1, precision>=P or recall>=R.

    Raises:
        ValueError: a class is absent, or there is no such goal.
    """
    if len(np.unique(y_true)) != 2:
        raise ValueError("a threshold is chosen on images of both classes")
    if not re.fullmatch(_GOALS, goal):
        raise ValueError(f"{goal!r} is not a goal")
    candidates = _candidates(y_true, y_prob, positive=positive)
    metric, _, least = goal.partition(">=")
    values: FloatArray = getattr(candidates, metric)
    usable = values >= (float(least) if least else values.max())
    reached = bool(usable.any())
    if not reached:
        usable = values == values.max()
    if least:
        other = candidates.recall if metric == "precision" else candidates.precision
        usable &= other == other[usable].max()
    places = np.flatnonzero(usable)
    chosen = places[np.argmin(np.abs(candidates.thresholds[places] - 0.5))]
    return ThresholdChoice(
        float(candidates.thresholds[chosen]), goal, float(values[chosen]), reached
    )


def _candidates(y_true: IntArray, y_prob: FloatArray, *, positive: int) -> _Candidates:
    """One threshold below each distinct probability, so that at least one image is positive."""
    curve = roc_curve(y_true, y_prob, positive=positive)
    recall, alarms = curve.true_positive_rate[1:], curve.false_positive_rate[1:]
    n_positive = int(np.sum(y_true == positive))
    hits = np.rint(recall * n_positive)
    misfires = np.rint(alarms * (len(y_true) - n_positive))
    scores = curve.thresholds[1:].astype(y_prob.dtype)  # falling
    middle = (scores[:-1] + scores[1:]) / 2
    middle = np.where(middle > scores[1:], middle, scores[:-1])  # nothing is between neighbours
    return _Candidates(
        thresholds=np.append(middle, 0).astype(np.float64),
        precision=hits / (hits + misfires),
        recall=recall,
        balanced_accuracy=(recall + 1 - alarms) / 2,
    )
