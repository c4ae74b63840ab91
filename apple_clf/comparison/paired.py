"""Differences of two networks, or two groups of them, that answered the same images.

How much of a difference may be chance is worked out in `spread`.
"""

import numpy as np

from apple_clf.arrays import BoolArray, FloatArray, IntArray
from apple_clf.comparison.chance import mcnemar_mid_p, sign_test_mid_p
from apple_clf.comparison.spread import Difference, Spread
from apple_clf.metrics.curves import placements
from apple_clf.metrics.scores import ranked_classes

SEED = 0  # of the sign test, so that a comparison is the same each time


def accuracy_difference(first: BoolArray, second: BoolArray) -> Difference:
    """Difference of accuracies; for two networks McNemar's test.

    Args:
        first: whether each network answered each image right, (n_seeds, n).
        second: likewise, of the same images, (n_other_seeds, n).
    """
    n = first.shape[1]
    one_class = np.zeros(n, np.int64)
    spread = Spread.of_answers(first, second, one_class, weight=np.full(n, 1 / n))
    if len(first) == len(second) == 1:
        p = mcnemar_mid_p(int(np.sum(first & ~second)), int(np.sum(second & ~first)))
        return spread.difference(p, "McNemar")
    return spread.t_test("t")


def balanced_accuracy_difference(
    first: BoolArray, second: BoolArray, *, labels: IntArray
) -> Difference:
    """Difference of balanced accuracies; for two networks McNemar's test, weighted by class.

    Args:
        first: whether each network answered each image right, (n_seeds, n).
        second: likewise, of the same images, (n_other_seeds, n).
        labels: class codes, int, (n,).
    """
    _, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    weights = 1 / (sizes * len(sizes))
    spread = Spread.of_answers(first, second, codes, weight=weights[codes])
    if len(first) == len(second) == 1:
        only_first, only_second = (
            np.bincount(codes[only[0]], minlength=len(sizes))
            for only in (first & ~second, second & ~first)
        )
        p = sign_test_mid_p(only_first, only_second, weights=weights, seed=SEED)
        return spread.difference(p, "McNemar by class")
    return spread.t_test("t")


def roc_auc_difference(
    first: FloatArray, second: FloatArray, *, labels: IntArray
) -> Difference | None:
    """Difference of areas under the ROC curve, by DeLong; None without spread, as in two perfect.

    Args:
        first: class probabilities by each network, float, (n_seeds, n, n_classes).
        second: likewise, of the same images.
        labels: class codes, int, (n,), two of them or more present.

    Source:
        DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44, 837-845.
    """
    (areas, parts), (other_areas, other_parts) = (
        _areas(probabilities, labels) for probabilities in (first, second)
    )
    if min(np.unique(labels, return_counts=True)[1]) < 2:
        return None
    spread = Spread.of_ranks((areas, other_areas), (parts, other_parts), labels)
    return (
        spread.t_test("DeLong" if len(areas) == len(other_areas) == 1 else "t")
        if spread.variance > 1e-18
        else None
    )  # but rounding errors


def _areas(probabilities: FloatArray, labels: IntArray) -> tuple[FloatArray, FloatArray]:
    """Area of each network, (n_seeds,), and what each image adds to it, (n_seeds, n)."""
    areas, parts = np.zeros(len(probabilities)), np.zeros(probabilities.shape[:2])
    for k, y_prob in enumerate(probabilities):
        classes = ranked_classes(labels, y_prob)
        for code in classes:
            placed = placements(labels, y_prob, positive=code)
            positive = labels == code
            areas[k] += placed[positive].mean() / len(classes)
            size = np.where(positive, positive.sum(), np.sum(~positive))
            parts[k] += placed / size / len(classes)
    return areas, parts
