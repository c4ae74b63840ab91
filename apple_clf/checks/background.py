"""Whether the edge of the pictures gives their class away."""

import numpy as np

from apple_clf.arrays import BoolArray, FloatArray, IntArray, UInt8Array
from apple_clf.checks.folds import balanced_accuracy, stratified_folds
from apple_clf.metrics.intervals import Estimate

FOLDS = 5
PENALTY = 0.1  # of the mean variance of a pixel


def border_baseline(
    images: UInt8Array, labels: IntArray, *, first: IntArray, n_classes: int, seed: int
) -> Estimate:
    """Balanced accuracy of a linear classifier that sees nothing but the outermost pixels.

    It is a ridge regression on the classes, all counting the same, and answers for pictures that
    it was not fitted to. Better than guessing, it says that background or framing differ between
    the classes; a network may learn that instead of what is shown. It does not say whether one
    does, and sees no more than brightness and colour at fixed places.

    Args:
        images: whole pictures, not centred on what they show, (n, height, width, channels).
        labels: class codes, (n,); at least two of them occur, each more than once.
        first: index of the first image with the same pixels, (n,).
        n_classes: of the data.
        seed: of the folds.

    Source: Hastie, Tibshirani and Friedman 2009, The Elements of Statistical Learning, eq. 3.44.
    """
    border = images[:, _is_outermost(*images.shape[1:3])].reshape(len(images), -1) / 255.0
    folds = stratified_folds(labels, first=first, n_folds=FOLDS, seed=seed)
    predicted = np.empty_like(labels)
    for fold in range(FOLDS):
        held_out = folds == fold
        weights = _fit(border[~held_out], labels[~held_out], n_classes=n_classes)
        predicted[held_out] = np.argmax(_with_one(border[held_out]) @ weights, axis=1)
    return balanced_accuracy(labels, predicted, n_classes=n_classes)


def _is_outermost(height: int, width: int) -> BoolArray:
    """Mask of the first and last row and column, (height, width)."""
    mask = np.ones((height, width), np.bool_)
    mask[1:-1, 1:-1] = False
    return mask


def _fit(features: FloatArray, labels: IntArray, *, n_classes: int) -> FloatArray:
    """Weights of the ridge regression, the last row the intercepts, (n_features + 1, n_classes)."""
    counts = np.bincount(labels, minlength=n_classes)
    weight = (1 / np.maximum(counts, 1))[labels][:, None]
    inputs = _with_one(features)
    gram = inputs.T @ (inputs * weight)
    variance = np.mean(features.var(axis=0)) * weight.sum()
    penalty = np.full(len(gram), PENALTY * variance + 1e-9)  # above 0 also where all is black
    penalty[-1] = 1e-9
    solution: FloatArray = np.linalg.solve(
        gram + np.diag(penalty), inputs.T @ (np.eye(n_classes)[labels] * weight)
    )
    return solution


def _with_one(features: FloatArray) -> FloatArray:
    return np.column_stack((features, np.ones(len(features))))
