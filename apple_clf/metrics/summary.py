"""How good a classifier's answers are: every metric with its 95 % interval, and a verdict in words.

The front door to `scores` (single numbers), `curves` and `intervals`, whose names it exports.
Everywhere `y_true` are class codes, int, (n,), 0 to n_classes - 1, and `y_prob` are class
probabilities, float, (n, n_classes), whose rows sum to 1.
"""

import numpy as np

from apple_clf.arrays import FloatArray, IntArray
from apple_clf.metrics.catalogue import METRICS, Answers
from apple_clf.metrics.curves import (
    confusion_matrix,
    precision_recall_curve,
    reliability_curve,
    roc_curve,
)
from apple_clf.metrics.intervals import Estimate, wilson
from apple_clf.metrics.scores import (
    accuracy,
    average_precision,
    balanced_accuracy,
    brier_score,
    expected_calibration_error,
    f1,
    log_loss,
    macro_f1,
    macro_precision,
    macro_recall,
    precision,
    predicted_classes,
    recall,
    roc_auc,
)

__all__ = [
    "Estimate",
    "accuracy",
    "average_precision",
    "balanced_accuracy",
    "brier_score",
    "confusion_matrix",
    "evaluate",
    "expected_calibration_error",
    "f1",
    "log_loss",
    "macro_f1",
    "macro_precision",
    "macro_recall",
    "memorisation",
    "precision",
    "precision_recall_curve",
    "predicted_classes",
    "recall",
    "reliability_curve",
    "roc_auc",
    "roc_curve",
    "verdict",
    "wilson",
]

MEMORISED_GAP = 0.1  # balanced accuracy lost between training images and new ones


def evaluate(
    y_true: IntArray,
    y_prob: FloatArray,
    *,
    positive: int,
    threshold: float | None = None,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Every metric of `METRICS` for so many classes, with its 95 % interval, by its name.

    Precision, recall, F1 and average precision are those of the positive class.

    Args:
        y_true: class codes, int, (n,).
        y_prob: class probabilities, float, (n, n_classes), n_classes at least 2.
        positive: class code.
        threshold: see `predicted_classes`.
        seed: of the bootstrap, which log loss, Brier score and calibration error use.

    Returns:
        One estimate a metric; one without a value, and with the reason, where it is undefined.

    Raises:
        ValueError: no images, shapes or codes that do not fit, a probability that is not a number
            in [0, 1].
    """
    y_true, y_prob = _checked(y_true, y_prob, positive=positive)
    y_pred = predicted_classes(y_prob, positive=positive, threshold=threshold)
    answers = Answers(y_true, y_prob, y_pred, positive=positive, seed=seed)
    return {
        name: metric.estimate(answers)
        for name, metric in METRICS.items()
        if answers.n_classes >= metric.min_classes
    }


def verdict(balanced: Estimate, *, n_classes: int) -> str:
    """One sentence that says whether a classifier does better than guessing.

    Args:
        balanced: balanced accuracy, from `evaluate`.
        n_classes: number of classes among the images it was measured on.
    """
    if balanced.value is None or balanced.low is None or balanced.high is None:
        return f"cannot be told from guessing: {balanced.reason}"
    chance = 1 / n_classes
    measured = (
        f"balanced accuracy {balanced.value:.2f}, "
        f"95 % interval {balanced.low:.2f} to {balanced.high:.2f}"
    )
    if balanced.low > chance:
        return f"better than guessing ({chance:.2f}): {measured}"
    if balanced.high < chance:
        return f"worse than guessing ({chance:.2f}), as if labels were swapped: {measured}"
    return f"no better than guessing: {measured}, covers {chance:.2f}"


def memorisation(training: float, held_out: Estimate, *, n_classes: int) -> str | None:
    """One sentence if a classifier knows its training images far better than new ones, else None.

    Far better: by more than 0.1, and outside the interval of the new ones.

    Args:
        training: balanced accuracy on the training images, in [0, 1].
        held_out: balanced accuracy on new images, from `evaluate`.
        n_classes: number of classes among the new images.
    """
    if held_out.value is None or held_out.low is None or held_out.high is None:
        return None
    if training <= max(held_out.high, held_out.value + MEMORISED_GAP):
        return None
    lead = f"{training:.2f} on them, {held_out.value:.2f} on new ones"
    if held_out.low > 1 / n_classes:
        return f"it partly memorised its training images: {lead}"
    return f"it memorised its training images: {lead}, no better than guessing"


def _checked(y_true: IntArray, y_prob: FloatArray, *, positive: int) -> tuple[IntArray, FloatArray]:
    y_true, y_prob = np.asarray(y_true), np.asarray(y_prob)
    if y_prob.ndim != 2 or y_prob.shape[1] < 2 or y_true.shape != y_prob.shape[:1]:
        raise ValueError(
            f"y_true {y_true.shape} and y_prob {y_prob.shape} must be (n,) and (n, n_classes)"
        )
    if y_true.size == 0:
        raise ValueError("there are no images to evaluate")
    n_classes = y_prob.shape[1]
    if y_true.min() < 0 or max(int(y_true.max()), positive) >= n_classes or positive < 0:
        raise ValueError(f"class codes must be 0 to {n_classes - 1}")
    if not np.all((y_prob >= 0) & (y_prob <= 1)):  # false for NaN too
        raise ValueError("probabilities must be numbers from 0 to 1")
    return y_true, y_prob
