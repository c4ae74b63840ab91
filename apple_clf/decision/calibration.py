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

    Log loss is convex in 1/T, so its slope is followed to 0 by halving. Each label counts as
    Platt's target, (n + 1) / (n + n_classes) for a class of n images, or a model without a
    mistake on few images would be taken for one that never errs.

    Args:
        logits: float, (n, n_classes).
        y_true: class codes, int, (n,), n at least 1.

    Source: Guo et al. 2017, arXiv:1706.04599, section 4.2; Platt 1999, Probabilistic outputs
        for support vector machines, section 2.2.
    """
    logits = np.asarray(logits, np.float64)
    targets = platt_targets(y_true, n_classes=logits.shape[1])
    low, high = 1 / MAX_TEMPERATURE, 1 / MIN_TEMPERATURE
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        slope = np.sum((softmax(logits, temperature=1 / middle) - targets) * logits)
        low, high = (low, middle) if slope > 0 else (middle, high)
    return float(2 / (low + high))


def platt_targets(y_true: IntArray, *, n_classes: int) -> FloatArray:
    """Probabilities to aim at, float64, (n, n_classes), rows sum to 1: labels, a little softened.

    Args:
        y_true: class codes, int, (n,).
        n_classes: at least 2.
    """
    spread = 1 / (np.bincount(y_true, minlength=n_classes) + n_classes)[y_true]
    targets = np.repeat(spread[:, None], n_classes, axis=1)
    targets[np.arange(len(y_true)), y_true] += 1 - n_classes * spread
    return targets
