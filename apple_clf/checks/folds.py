"""Parts of equal size for cross-validation, and what the answers are worth."""

import numpy as np

from apple_clf.arrays import IntArray
from apple_clf.metrics.curves import confusion_matrix
from apple_clf.metrics.intervals import Estimate, mean_of_proportions


def stratified_folds(labels: IntArray, *, first: IntArray, n_folds: int, seed: int) -> IntArray:
    """Fold of each image, 0 to n_folds - 1, int, (n,); each fold has its share of each class.

    Args:
        labels: class codes, (n,).
        first: index of the first image with the same pixels, (n,); copies share a fold.
        n_folds: 2 or more.
        seed: the same seed gives the same folds.
    """
    folds = np.empty(len(labels), np.int64)
    leads = first == np.arange(len(first))
    for code in np.unique(labels):
        (at,) = np.nonzero((labels == code) & leads)
        shuffled = np.random.default_rng([seed, int(code)]).permutation(at)
        folds[shuffled] = np.arange(len(at)) % n_folds
    return folds[first]


def balanced_accuracy(labels: IntArray, predicted: IntArray, *, n_classes: int) -> Estimate:
    """Mean share of each class that was answered right, with its 95 % interval.

    Args:
        labels: class codes, (n,), n at least 1.
        predicted: class codes, (n,), from classifiers that had not seen the image.
        n_classes: of the data; a class without images does not count.
    """
    confusion = confusion_matrix(labels, predicted, n_classes=n_classes)
    present = confusion.sum(axis=1) > 0
    return mean_of_proportions(confusion.diagonal()[present], confusion.sum(axis=1)[present])
