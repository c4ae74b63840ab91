"""Point metrics of a classifier's answers, each one number; NaN where undefined.

Everywhere `y_true` and `y_pred` are class codes, int, (n,), 0 to n_classes - 1, and `y_prob` are
class probabilities, float, (n, n_classes), whose rows sum to 1. All raise ValueError if there are
no images or the lengths differ.
"""

import math

import numpy as np

from apple_clf.arrays import BoolArray, FloatArray, IntArray
from apple_clf.metrics.curves import (
    confidence_bins,
    confusion_matrix,
    placements,
    precision_recall_curve,
)

N_BINS = 15  # of the expected calibration error


def predicted_classes(
    y_prob: FloatArray, *, positive: int = 0, threshold: float | None = None
) -> IntArray:
    """The most probable class of each image or, for two classes, a threshold's answer.

    Args:
        y_prob: class probabilities, float, (n, n_classes).
        positive: class code that the threshold is for.
        threshold: the least probability, in [0, 1], that makes an image `positive`; None takes
            the most probable class, the first of equals. Two classes only.

    Returns:
        Class codes, int, (n,).

    Raises:
        ValueError: a threshold with more than two classes.
    """
    if threshold is None:
        most_probable: IntArray = y_prob.argmax(axis=1)
        return most_probable
    if y_prob.shape[1] != 2:
        raise ValueError(f"a threshold needs two classes, not {y_prob.shape[1]}")
    chosen: IntArray = np.where(y_prob[:, positive] >= threshold, positive, 1 - positive)
    return chosen


def accuracy(y_true: IntArray, y_pred: IntArray) -> float:
    """Share of images whose class was found, in [0, 1]."""
    _check(y_true, y_pred)
    return float(np.mean(y_true == y_pred))


def top_2_accuracy(y_true: IntArray, y_prob: FloatArray) -> float:
    """Share of images whose class is one of the two most probable, in [0, 1].

    Of equals the first counts, as in `predicted_classes`.
    """
    _check(y_true, y_prob)
    return float(in_top_2(y_true, y_prob).mean())


def in_top_2(y_true: IntArray, y_prob: FloatArray) -> BoolArray:
    """Whether each image's class is one of the two most probable, (n,)."""
    likeliest = np.argsort(-y_prob, axis=1, kind="stable")[:, :2]
    found: BoolArray = (likeliest == y_true[:, None]).any(axis=1)
    return found


def balanced_accuracy(y_true: IntArray, y_pred: IntArray) -> float:
    """Mean recall of the classes present in `y_true`, in [0, 1]; guessing gives 1 / their number.

    Source: Brodersen et al. 2010, ICPR, 3121-3124.
    """
    return macro_recall(y_true, y_pred)


def precision(y_true: IntArray, y_pred: IntArray, *, positive: int) -> float:
    """Share of the images predicted `positive` that are, in [0, 1]; NaN if none was predicted."""
    _check(y_true, y_pred)
    return _share((y_true == positive)[y_pred == positive])


def recall(y_true: IntArray, y_pred: IntArray, *, positive: int) -> float:
    """Share of the `positive` images that were found, in [0, 1]; NaN if there are none."""
    _check(y_true, y_pred)
    return _share((y_pred == positive)[y_true == positive])


def f1(y_true: IntArray, y_pred: IntArray, *, positive: int) -> float:
    """Harmonic mean of precision and recall, in [0, 1]; NaN if `positive` never occurs.

    Source: van Rijsbergen 1979, Information Retrieval, chapter 7.
    """
    _check(y_true, y_pred)
    is_positive, called = y_true == positive, y_pred == positive
    jaccard = _share((is_positive & called)[is_positive | called])
    return 2 * jaccard / (1 + jaccard)


def matthews_correlation(y_true: IntArray, y_pred: IntArray) -> float:
    """Correlation of true and predicted classes, in [-1, 1]; NaN if one class only is present.

    1 is perfect and 0 is guessing; it is 0 where one class only was predicted.

    Source: Matthews 1975, BBA 405, 442-451; Gorodkin 2004, Computational Biology and Chemistry 28,
    367-374, eq. 8 for more classes.
    """
    _check(y_true, y_pred)
    n_classes = int(max(y_true.max(), y_pred.max())) + 1
    counts = confusion_matrix(y_true, y_pred, n_classes=n_classes)
    if np.count_nonzero(counts.sum(axis=1)) < 2:
        return math.nan
    return float(matthews_of_counts(counts[None])[0])


def matthews_of_counts(confusion: IntArray | FloatArray) -> FloatArray:
    """Matthews correlation of each confusion matrix, (m, n_classes, n_classes) -> (m,)."""
    counts = confusion.astype(np.float64)
    true, predicted = counts.sum(axis=2), counts.sum(axis=1)  # (m, n_classes)
    n = true.sum(axis=1)
    found = np.trace(counts, axis1=1, axis2=2)
    covariance = found * n - (true * predicted).sum(axis=1)
    variances = (n**2 - np.square(true).sum(axis=1)) * (n**2 - np.square(predicted).sum(axis=1))
    correlation: FloatArray = np.where(
        variances > 0, covariance / np.sqrt(np.where(variances > 0, variances, 1)), 0.0
    )
    return correlation


def macro_precision(y_true: IntArray, y_pred: IntArray) -> float:
    """Mean precision of the predicted classes, in [0, 1]."""
    _check(y_true, y_pred)
    return float(np.mean([precision(y_true, y_pred, positive=k) for k in np.unique(y_pred)]))


def macro_recall(y_true: IntArray, y_pred: IntArray) -> float:
    """Mean recall of the classes present in `y_true`, in [0, 1]."""
    _check(y_true, y_pred)
    return float(np.mean([recall(y_true, y_pred, positive=k) for k in np.unique(y_true)]))


def macro_f1(y_true: IntArray, y_pred: IntArray) -> float:
    """Mean F1 of the classes that are present or predicted, in [0, 1]."""
    _check(y_true, y_pred)
    codes = np.union1d(y_true, y_pred)
    return float(np.mean([f1(y_true, y_pred, positive=k) for k in codes]))


def roc_auc(y_true: IntArray, y_prob: FloatArray) -> float:
    """Area under the ROC curve, in [0, 1]; 0.5 is guessing; NaN if one class only is present.

    Two classes: the chance that an image of class 1 scores above one of class 0. More: the mean
    over the classes present, each against all others.

    Source: Hanley and McNeil 1982, Radiology 143, 29-36; Hand and Till 2001 discuss more classes.
    """
    codes = ranked_classes(y_true, y_prob)
    if not codes:
        return math.nan
    return float(
        np.mean([placements(y_true, y_prob, positive=k)[y_true == k].mean() for k in codes])
    )


def average_precision(y_true: IntArray, y_prob: FloatArray, *, positive: int) -> float:
    """Mean precision over the recall steps of one class, in [0, 1]; NaN if it is absent.

    Not interpolated; guessing gives the share of `positive` images.

    Source: Zhu 2004, Recall, precision and average precision.
    """
    _check(y_true, y_prob)
    curve = precision_recall_curve(y_true, y_prob, positive=positive)
    return float(-np.sum(np.diff(curve.recall) * curve.precision[:-1]))


def log_loss(y_true: IntArray, y_prob: FloatArray) -> float:
    """Mean of -ln(probability of the true class), from 0; ln(n_classes) is guessing.

    Probabilities are clipped by the machine epsilon of their type, so 0 does not give infinity.

    Source: Bishop 2006, Pattern Recognition and Machine Learning, eq. 4.108.
    """
    return float(log_losses(y_true, y_prob).mean())


def brier_score(y_true: IntArray, y_prob: FloatArray) -> float:
    """Mean squared error of the probabilities: in [0, 1] for two classes, of one of them.

    With more classes: the sum over classes, in [0, 2].

    Source: Brier 1950, Monthly Weather Review 78, 1-3, eq. 2; halved for two classes.
    """
    return float(squared_errors(y_true, y_prob).mean())


def expected_calibration_error(
    y_true: IntArray, y_prob: FloatArray, *, n_bins: int = N_BINS
) -> float:
    """Mean gap between confidence and accuracy, weighted by bin size, in [0, 1]; 0 is calibrated.

    Confidence is the probability of the most probable class.

    Args:
        y_true: class codes, int, (n,).
        y_prob: class probabilities, float, (n, n_classes).
        n_bins: equal-width bins over [0, 1], each without its lower edge and with its upper.

    Source: Guo et al. 2017, arXiv:1706.04599, eq. 3.
    """
    gaps = calibration_gaps(y_true, y_prob, n_bins=n_bins)
    return float(np.abs(gaps.sum(axis=0)).sum() / len(y_true))


def ranked_classes(y_true: IntArray, y_prob: FloatArray) -> list[int]:
    """Classes whose ROC curves are averaged: the second of two, all present of more, or none."""
    _check(y_true, y_prob)
    codes = [int(k) for k in np.unique(y_true)]
    if len(codes) < 2:
        return []
    return [1] if y_prob.shape[1] == 2 else codes


def log_losses(y_true: IntArray, y_prob: FloatArray) -> FloatArray:
    """Log loss of each image, float64, (n,), whose mean is `log_loss`."""
    _check(y_true, y_prob)
    chosen = y_prob[np.arange(len(y_true)), y_true]
    epsilon = np.finfo(chosen.dtype).eps
    losses: FloatArray = -np.log(np.clip(chosen, epsilon, 1 - epsilon).astype(np.float64))
    return losses


def squared_errors(y_true: IntArray, y_prob: FloatArray) -> FloatArray:
    """Brier score of each image, float64, (n,), whose mean is `brier_score`."""
    _check(y_true, y_prob)
    n_classes = y_prob.shape[1]
    total: FloatArray = np.square(y_prob - np.eye(n_classes)[y_true]).sum(axis=1)
    return total / 2 if n_classes == 2 else total


def calibration_gaps(y_true: IntArray, y_prob: FloatArray, *, n_bins: int = N_BINS) -> FloatArray:
    """Confidence less correctness of each image, in the column of its bin: (n, n_bins)."""
    _check(y_true, y_prob)
    confidence, correct, bins = confidence_bins(y_true, y_prob, n_bins=n_bins)
    gaps = np.zeros((len(y_true), n_bins))
    gaps[np.arange(len(y_true)), bins] = confidence - correct
    return gaps


def _share(hits: BoolArray) -> float:
    return float(hits.mean()) if hits.size else math.nan


def _check(y_true: IntArray, other: IntArray | FloatArray) -> None:
    if len(y_true) == 0 or len(y_true) != len(other):
        raise ValueError(f"answers for {len(other)} images, class codes of {len(y_true)}")
