"""Logits -> probabilities that are right as often as they say: temperature scaling."""

import numpy as np

from apple_clf.arrays import FloatArray, IntArray

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
_HALVINGS = 60  # of an interval of 1/T no wider than 20: down to the precision of a float


def softmax(logits: FloatArray, *, temperature: float = 1.0) -> FloatArray:
    """Class probabilities, float64, (n, n_classes), rows sum to 1.

    Args:
        logits: float, (n, n_classes).
        temperature: above 0; above 1 makes the model less sure, below 1 surer.

    Source: Guo et al. 2017, arXiv:1706.04599, eq. 9.
    """
    scaled = np.asarray(logits, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True, initial=-np.inf))
    probabilities: FloatArray = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def fit_temperature(logits: FloatArray, y_true: IntArray) -> float:
    """The temperature in [0.05, 20] with the least log loss on images not trained on.

    Log loss is convex in 1/T, so its slope is followed to 0 by halving. Half a mistake is counted
    besides those that were made, or a model without one would be taken for one that never errs.

    Args:
        logits: float, (n, n_classes).
        y_true: class codes, int, (n,), n at least 1.

    Source: Guo et al. 2017, arXiv:1706.04599, section 4.2; the half is Jeffreys's prior of a share.
    """
    logits = np.asarray(logits, np.float64)
    targets = softened(y_true, n_classes=logits.shape[1])
    low, high = 1 / MAX_TEMPERATURE, 1 / MIN_TEMPERATURE
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        slope = np.sum((softmax(logits, temperature=1 / middle) - targets) * logits)
        low, high = (low, middle) if slope > 0 else (middle, high)
    return float(2 / (low + high))


def softened(y_true: IntArray, *, n_classes: int) -> FloatArray:
    """Probabilities to aim at, float64, (n, n_classes): labels that are wrong once in 2n + 2.

    Args:
        y_true: class codes, int, (n,).
        n_classes: at least 2.
    """
    wrong = 0.5 / (len(y_true) + 1)
    targets = np.full((len(y_true), n_classes), wrong / (n_classes - 1))
    targets[np.arange(len(y_true)), y_true] = 1 - wrong
    return targets
