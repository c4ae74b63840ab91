"""When to be unsure: a picture that looks unlike all that a model was trained on."""

from dataclasses import dataclass

import numpy as np

from apple_clf.arrays import BoolArray, FloatArray, IntArray

_RIDGE = 1e-4  # of the mean variance, so that numbers which never vary can be divided by


@dataclass(frozen=True)
class Gaussian:
    """How numbers that describe pictures are spread among the training images.

    The squared length of (numbers - mean) @ whitening is a picture's Mahalanobis distance.
    """

    mean: FloatArray  # float32, (n_numbers,)
    whitening: FloatArray  # float32, (n_numbers, n_numbers)

    def distance(self, numbers: FloatArray) -> FloatArray:
        """Squared Mahalanobis distance, float, (n,): about n_numbers for a usual picture.

        Args:
            numbers: float, (n, n_numbers).
        """
        distances: FloatArray = np.square((numbers - self.mean) @ self.whitening).sum(axis=1)
        return distances


def fit_gaussian(numbers: FloatArray) -> Gaussian:
    """The Gaussian of some pictures' numbers.

    Args:
        numbers: finite, float, (n, n_numbers), n at least 1.

    Source: Mahalanobis 1936; as a score of novelty, Lee et al. 2018, arXiv:1807.03888, section
        2.1, there of a network's features.
    """
    numbers = np.asarray(numbers, np.float64)
    mean = numbers.mean(axis=0)
    centred = numbers - mean
    # Not by BLAS, whose sums depend on the number of cores, and the file's bytes with them.
    covariance = np.einsum("ni,nj->ij", centred, centred) / len(numbers)
    ridge = _RIDGE * max(np.trace(covariance) / len(mean), _RIDGE)
    factor = np.linalg.cholesky(covariance + ridge * np.eye(len(mean)))
    whitening = np.linalg.inv(factor).T
    return Gaussian(mean.astype(np.float32), whitening.astype(np.float32))


FOLDS = 5

MIN_TO_JUDGE = 100
"""Ordinary images below which nothing is called novel: the 1 % of them that lies farthest out is
then less than one image."""


def cross_fitted_distances(numbers: FloatArray, groups: IntArray) -> FloatArray:
    """How far each picture is from the Gaussian of the others, float64, (n,).

    A picture's own numbers pull the Gaussian towards it, so its distance is measured from the
    pictures of the other folds.

    Args:
        numbers: finite, float, (n, n_numbers).
        groups: pictures of one group, such as copies of one drawing, share a fold, int, (n,).
    """
    folds = groups % FOLDS
    distances = np.empty(len(numbers))
    for fold in range(FOLDS):
        held_out = folds == fold
        if held_out.any():
            others = fit_gaussian(numbers[~held_out])
            distances[held_out] = others.distance(numbers[held_out])
    return distances


def novelty_threshold(scores: FloatArray, *, false_alarm_rate: float) -> float:
    """The score that this share of ordinary images exceeds.

    Args:
        scores: novelty of images that are ordinary but not fitted to, float, (n,), n at least 1.
        false_alarm_rate: in [0, 1].
    """
    return float(np.quantile(np.asarray(scores, np.float64), 1 - false_alarm_rate))


def is_novel(scores: FloatArray, *, threshold: float) -> BoolArray:
    """Whether each score is above the threshold or no number, bool, (n,)."""
    novel: BoolArray = ~(np.asarray(scores) <= threshold)
    return novel
