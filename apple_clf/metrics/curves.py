"""Counts and curves behind the metrics: confusion, ROC, precision-recall, reliability.

Everywhere `y_true` and `y_pred` are class codes, int, (n,), 0 to n_classes - 1, and `y_prob` are
class probabilities, float, (n, n_classes), whose rows sum to 1.
"""

from typing import NamedTuple

import numpy as np

from apple_clf.arrays import FloatArray, IntArray


class RocCurve(NamedTuple):
    """Rates at each distinct score, from (0, 0) to (1, 1); NaN where a class is absent."""

    false_positive_rate: FloatArray
    true_positive_rate: FloatArray
    thresholds: FloatArray


class PrecisionRecallCurve(NamedTuple):
    """Precision and recall at each distinct score, recall falling, down to (1, 0)."""

    precision: FloatArray
    recall: FloatArray
    thresholds: FloatArray


class ReliabilityCurve(NamedTuple):
    """Mean confidence, accuracy and number of images of each bin, (n_bins,); NaN if empty."""

    confidence: FloatArray
    accuracy: FloatArray
    counts: IntArray


def confusion_matrix(y_true: IntArray, y_pred: IntArray, *, n_classes: int) -> IntArray:
    """Image counts by true class (rows) and predicted class (columns).

    Args:
        y_true: class codes, int, (n,).
        y_pred: class codes, int, (n,).
        n_classes: number of classes, present or not.

    Returns:
        int64, (n_classes, n_classes).
    """
    cells = np.asarray(y_true, np.int64) * n_classes + y_pred
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def roc_curve(y_true: IntArray, y_prob: FloatArray, *, positive: int) -> RocCurve:
    """True against false positive rate as the threshold on one class' probability falls.

    Args:
        y_true: class codes, int, (n,).
        y_prob: class probabilities, float, (n, n_classes).
        positive: class code held against all others.

    Returns:
        Three float arrays of one point per distinct score, and (0, 0) at threshold inf first.
    """
    scores, hits, alarms = _by_threshold(y_true, y_prob[:, positive], positive=positive)
    return RocCurve(
        _rate(np.append(0, alarms)), _rate(np.append(0, hits)), np.append(np.inf, scores)
    )


def precision_recall_curve(
    y_true: IntArray, y_prob: FloatArray, *, positive: int
) -> PrecisionRecallCurve:
    """Precision against recall as the threshold on one class' probability rises.

    Args:
        y_true: class codes, int, (n,).
        y_prob: class probabilities, float, (n, n_classes).
        positive: class code held against all others.

    Returns:
        Precision and recall, float, one point per distinct score and a last (1, 0); thresholds,
        one fewer. Recall is NaN where the positive class is absent.
    """
    scores, hits, alarms = _by_threshold(y_true, y_prob[:, positive], positive=positive)
    precision = hits / (hits + alarms)
    recall = _rate(hits)
    return PrecisionRecallCurve(
        np.append(precision[::-1], 1), np.append(recall[::-1], 0), scores[::-1]
    )


def reliability_curve(
    y_true: IntArray, y_prob: FloatArray, *, n_bins: int = 15
) -> ReliabilityCurve:
    """Confidence of the most probable class against how often it is right, binned.

    Args:
        y_true: class codes, int, (n,).
        y_prob: class probabilities, float, (n, n_classes).
        n_bins: equal-width bins over [0, 1], each without its lower edge and with its upper.

    Returns:
        Confidence and accuracy, float, in [0, 1]; counts, int.
    """
    confidence, correct, bins = confidence_bins(y_true, y_prob, n_bins=n_bins)
    counts = np.bincount(bins, minlength=n_bins)
    total = np.where(counts == 0, np.nan, counts)
    return ReliabilityCurve(
        np.bincount(bins, weights=confidence, minlength=n_bins) / total,
        np.bincount(bins, weights=correct, minlength=n_bins) / total,
        counts,
    )


def confidence_bins(
    y_true: IntArray, y_prob: FloatArray, *, n_bins: int
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Confidence, correctness (0 or 1) and bin number of each image.

    Args:
        y_true: class codes, int, (n,).
        y_prob: class probabilities, float, (n, n_classes).
        n_bins: equal-width bins over [0, 1], each without its lower edge and with its upper.

    Returns:
        Three arrays (n,): float64, float64, int in 0 to n_bins - 1.
    """
    confidence = y_prob.max(axis=1).astype(np.float64)
    correct = (y_prob.argmax(axis=1) == y_true).astype(np.float64)
    edges = np.arange(n_bins + 1) / n_bins
    bins = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, n_bins - 1)
    return confidence, correct, bins


def placements(y_true: IntArray, y_prob: FloatArray, *, positive: int) -> FloatArray:
    """Share of the opposite group that each image is ranked right against; ties count half.

    For a positive image: the share of negatives with a lower score. For a negative: the share of
    positives with a higher one. The mean over either group is the area under the ROC curve.

    Args:
        y_true: class codes, int, (n,); `positive` and another class must be present.
        y_prob: class probabilities, float, (n, n_classes).
        positive: class code held against all others.

    Returns:
        float64, (n,), in [0, 1].

    Source:
        DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44, 837-845: V10 and V01.
    """
    is_positive = np.asarray(y_true) == positive
    _, rank = np.unique(y_prob[:, positive], return_inverse=True)
    n_ranks = int(rank.max()) + 1
    positives = np.bincount(rank[is_positive], minlength=n_ranks)
    negatives = np.bincount(rank[~is_positive], minlength=n_ranks)
    below = (np.cumsum(negatives) - 0.5 * negatives) / negatives.sum()
    above = 1 - (np.cumsum(positives) - 0.5 * positives) / positives.sum()
    placed: FloatArray = np.where(is_positive, below[rank], above[rank])
    return placed


def _by_threshold(
    y_true: IntArray, score: FloatArray, *, positive: int
) -> tuple[FloatArray, IntArray, IntArray]:
    """Distinct scores, falling, and the positives and negatives at or above each."""
    distinct, rank = np.unique(-score, return_inverse=True)
    is_positive = np.asarray(y_true) == positive
    hits = np.bincount(rank[is_positive], minlength=distinct.size).cumsum()
    alarms = np.bincount(rank[~is_positive], minlength=distinct.size).cumsum()
    return -distinct, hits, alarms


def _rate(cumulative: IntArray) -> FloatArray:
    """Cumulative counts over their last; NaN where that is 0."""
    total = cumulative[-1]
    return cumulative / total if total else np.full(cumulative.size, np.nan)
