"""Parts of equal size for cross-validation."""

import numpy as np

from apple_clf.arrays import IntArray


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
