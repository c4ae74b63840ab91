"""How likely chance alone is: tails of Student's t and of coin tosses, and many p-values at once.

Written out here since SciPy is not part of this project and would take half a second to import.
"""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from apple_clf.arrays import FloatArray, IntArray

LEVEL = 0.05
"""Chance of calling equals different that is put up with; the intervals are of 95 %."""
LARGEST_DF = 10_000.0
"""Degrees of freedom beyond which Student's t differs from the normal by less than 1e-4."""
DRAWS = 100_000
"""Of the sign test; p-values near 0.05 are then right within 0.0015."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)


def two_sided_p(t: float, *, df: float) -> float:
    """Probability that Student's t is at least so far from 0, in [0, 1].

    Args:
        t: any number, infinity too.
        df: degrees of freedom, above 0; infinity gives the normal distribution.

    Source:
        The density at t = sqrt(df) tan(angle) is proportional to cos(angle)^(df - 1), which is
        integrated by Gauss and Legendre's rule: Abramowitz and Stegun 1964, 26.7.1 and 25.4.29.
    """
    if df > LARGEST_DF:
        return math.erfc(abs(t) / math.sqrt(2))
    start = math.atan(abs(t) / math.sqrt(df))
    half = (math.pi / 2 - start) / 2
    heights = np.cos(start + half * (_NODES + 1)) ** (df - 1)
    scale = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) * 2 / math.sqrt(math.pi)
    return min(1.0, scale * half * float(_WEIGHTS @ heights))


@cache
def t_quantile(df: float) -> float:
    """The t that chance exceeds, to either side, in 5 of 100 cases; 1.96 for infinite `df`.

    Args:
        df: degrees of freedom, 1 or more.
    """
    low, high = 1.9, 13.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided_p(middle, df=df) > LEVEL else (low, middle)
    return middle


def mcnemar_mid_p(only_first: int, only_second: int) -> float:
    """McNemar's test: probability of so uneven a split of the images that one alone got right.

    The probability of just this split counts half ("mid-p"). Without that the test calls equals
    different in 2 to 3 of 100 cases instead of 5, and overlooks more.

    Args:
        only_first: images that the first answered right and the second wrong.
        only_second: images that the second answered right and the first wrong.

    Returns:
        Two-sided p-value in (0, 1].

    Source:
        Fagerland, Lydersen and Laake 2013, BMC Medical Research Methodology 13:91.
    """
    n, fewer = only_first + only_second, min(only_first, only_second)
    if only_first == only_second:
        return 1.0
    steps = np.arange(1, fewer + 1)
    logs = np.concatenate(([0.0], np.cumsum(np.log((n - steps + 1) / steps)))) - n * math.log(2)
    probabilities = np.exp(logs)  # of 0 to `fewer` heads in n tosses
    return float(2 * probabilities.sum() - probabilities[-1])


def sign_test_mid_p(
    only_first: IntArray, only_second: IntArray, *, weights: FloatArray, seed: int
) -> float:
    """McNemar's test for a weighted sum over classes, such as balanced accuracy.

    Were both equally good, then each image that one alone got right might as well be the other's:
    such coins are tossed 100,000 times. For equal weights it is `mcnemar_mid_p`.

    Args:
        only_first: for each class, as in `mcnemar_mid_p`, int, (k,).
        only_second: likewise.
        weights: what an image of each class adds to the metric, float, (k,).
        seed: of the tosses.

    Returns:
        Two-sided p-value in (0, 1].
    """
    tie = 1e-9 * float(weights.max())  # sums of the same weights differ by rounding
    seen = abs(float(weights @ (only_second - only_first)))
    if seen <= tie:
        return 1.0
    rng = np.random.default_rng(seed)
    tossed = np.zeros(DRAWS)
    for n, weight in zip(only_first + only_second, weights, strict=True):
        tossed += weight * (2 * rng.binomial(n, 0.5, DRAWS) - n)
    far = np.abs(tossed)
    beyond, equal = np.sum(far > seen + tie), np.sum(np.abs(far - seen) <= tie)
    return min(1.0, (float(beyond) + float(equal) / 2 + 1) / (DRAWS + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values of which all that stay below 0.05 may be believed together.

    Args:
        p_values: of tests of any dependence.

    Returns:
        As many, in their order, in [0, 1].

    Source:
        Holm 1979, Scandinavian Journal of Statistics 6, 65-70.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected
