"""Estimates with 95 % intervals: Wilson, square-and-add, DeLong, stratified bootstrap.

A closed form stands wherever one covers as well as resampling does: it is quick, needs no seed,
and does not shrink to a point when a small test set holds no mistake.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from apple_clf.arrays import FloatArray, IntArray
from apple_clf.metrics.curves import placements

Z = 1.959963984540054  # the 97.5 % point of the standard normal distribution
RESAMPLES = 1000
MIN_RESAMPLES = 200
RESAMPLING_BUDGET = 100_000_000  # images drawn in all; beyond 100,000 images, fewer resamples
CHUNK = 1_000_000  # images drawn at once; bounds memory to some 30 MB


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; all three are None where undefined, and `reason` says why."""

    value: float | None
    low: float | None
    high: float | None
    method: str
    reason: str | None = None


def undefined(reason: str) -> Estimate:
    """An estimate without a value.

    Args:
        reason: why there is none, in plain words.
    """
    return Estimate(None, None, None, "none", reason)


def wilson(successes: float, trials: float) -> Estimate:
    """Proportion with its Wilson score interval.

    Args:
        successes: 0 to `trials`.
        trials: above 0.

    Returns:
        Value and interval in [0, 1].

    Source:
        Wilson 1927, JASA 22, 209-212; Brown, Cai and DasGupta 2001, eq. 4.
    """
    share = successes / trials
    scale = 1 + Z**2 / trials
    center = (share + Z**2 / (2 * trials)) / scale
    half = Z * math.sqrt(share * (1 - share) / trials + Z**2 / (4 * trials**2)) / scale
    return _around(share, center - half, center + half, method="wilson")


def mean_of_proportions(successes: IntArray, trials: IntArray) -> Estimate:
    """Mean of independent proportions; their Wilson intervals are squared and added.

    The Wilson intervals carry a continuity correction: without it, a guesser with one or two
    images of a class passes for better than guessing in 9 of 100 cases, with it in at most 3.

    Args:
        successes: int, (k,), 0 to `trials`.
        trials: int, (k,), above 0.

    Returns:
        Value and interval in [0, 1].

    Source:
        Newcombe 1998, Statistics in Medicine 17, 873-890, method 11, for a mean.
    """
    share = successes / trials
    miss = 1 - share
    scale = 2 * (trials + Z**2)
    center = 2 * successes + Z**2
    low_root = Z * np.sqrt(Z**2 - 2 - 1 / trials + 4 * share * (trials * miss + 1))
    high_root = Z * np.sqrt(Z**2 + 2 - 1 / trials + 4 * share * (trials * miss - 1))
    low = np.where(successes == 0, 0, (center - 1 - low_root) / scale)
    high = np.where(successes == trials, 1, (center + 1 + high_root) / scale)
    mean = float(share.mean())
    below = math.hypot(*(share - low)) / share.size
    above = math.hypot(*(high - share)) / share.size
    return _around(mean, mean - below, mean + above, method="wilson, square-and-add")


def area_under_roc(y_true: IntArray, y_prob: FloatArray, *, classes: Sequence[int]) -> Estimate:
    """Area under the ROC curve, averaged over classes, with DeLong's interval on the logit scale.

    For several classes the placement values of an image are averaged before their variance is
    taken, so that each image counts once; for one class this is DeLong's own formula. Where it
    yields no spread (perfect ranking, one image of a class), Newcombe's interval takes its place.

    Args:
        y_true: class codes, int, (n,).
        y_prob: class probabilities, float, (n, n_classes).
        classes: codes to hold against the rest, each present and not alone.

    Returns:
        Value and interval in [0, 1].

    Source:
        DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44, 837-845; on the logit scale: Pepe
        2003, The Statistical Evaluation of Medical Tests, chapter 5.
    """
    influence = np.zeros(len(y_true))  # what each image adds to the area
    areas = []
    for code in classes:
        placed = placements(y_true, y_prob, positive=code)
        is_positive = y_true == code
        n_positive = int(is_positive.sum())
        areas.append(placed[is_positive].mean())
        influence += placed / np.where(is_positive, n_positive, len(y_true) - n_positive)
    area = float(np.mean(areas))
    groups = [influence[y_true == code] / len(areas) for code in np.unique(y_true)]
    fewest = min(group.size for group in groups)
    variance = sum(g.size * float(g.var(ddof=1)) for g in groups) if fewest > 1 else 0.0
    if variance < 1e-18:  # rounding errors of zero
        low = _newcombe_low(area, fewest, len(y_true) - fewest)
        high = 1 - _newcombe_low(1 - area, fewest, len(y_true) - fewest)
        return _around(area, low, high, method="newcombe")
    logit = math.log(area / (1 - area))
    half = Z * math.sqrt(variance) / (area * (1 - area))
    return _around(area, _expit(logit - half), _expit(logit + half), method="delong, logit")


def bootstrap_sums(columns: FloatArray, strata: IntArray, *, seed: int) -> FloatArray:
    """Column sums over bootstrap samples that keep the size of each stratum.

    Args:
        columns: one row per image, float64, (n, k).
        strata: class codes, int, (n,).
        seed: any whole number from 0; the same seed draws the same samples.

    Returns:
        float64, (resamples, k); 1000 resamples up to 100,000 images, then fewer, at least 200.

    Source:
        Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapters 8 and 13.
    """
    rng = np.random.default_rng(seed)
    resamples = min(RESAMPLES, max(MIN_RESAMPLES, RESAMPLING_BUDGET // len(strata)))
    sums = np.zeros((resamples, columns.shape[1]))
    for code in np.unique(strata):
        rows = columns[strata == code]
        size = len(rows)
        step = max(1, CHUNK // size)
        for start in range(0, resamples, step):
            n = min(step, resamples - start)
            draws = rng.integers(size, size=(n, size)) + size * np.arange(n)[:, None]
            times_drawn = np.bincount(draws.ravel(), minlength=n * size).reshape(n, size)
            sums[start : start + n] += times_drawn @ rows
    return sums


def percentile_interval(value: float, resampled: FloatArray) -> Estimate:
    """Estimate between the 2.5th and 97.5th percentile of its bootstrap values.

    Args:
        value: the estimate on the images as they are.
        resampled: the same on bootstrap samples, float, (resamples,).
    """
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Estimate(value, float(low), float(high), "bootstrap, percentile")


def pivotal_interval(value: float, resampled: FloatArray, *, by_chance: FloatArray) -> Estimate:
    """Estimate with its percentiles mirrored at it, which takes out most of its bias.

    For a distance, which noise can only lengthen. The interval reaches down to 0 unless the
    value stands out from what chance alone gives, and it always holds the value.

    Args:
        value: the estimate on the images as they are, at least 0.
        resampled: the same on bootstrap samples, float, (resamples,).
        by_chance: the same on samples whose true value is 0, float, (samples,).

    Source:
        Davison and Hinkley 1997, Bootstrap Methods and their Application, eq. 5.6; by_chance:
        Broecker and Smith 2007, Weather and Forecasting 22, 651-661.
    """
    low, high = 2 * value - np.quantile(resampled, [0.975, 0.025])
    if value <= np.quantile(by_chance, 0.975):
        low = 0.0
    low, high = max(0.0, min(value, float(low))), max(value, float(high))
    return Estimate(value, low, high, "bootstrap, pivotal")


def _around(value: float, low: float, high: float, *, method: str) -> Estimate:
    """Estimate whose interval, but for rounding errors, lies in [0, 1] and holds the value."""
    return Estimate(value, max(0.0, min(low, value)), min(1.0, max(high, value)), method)


def _newcombe_low(area: float, n_first: int, n_second: int) -> float:
    """Lower bound of an area under the ROC curve from its value and group sizes alone.

    Source:
        Newcombe 2006, Statistics in Medicine 25, 559-573, method 5.
    """
    spare = (n_first + n_second) / 2 - 1
    low, high = 0.0, area
    for _ in range(60):
        middle = (low + high) / 2
        growth = 1 + spare * (1 - middle) / (2 - middle) + spare * middle / (1 + middle)
        variance = middle * (1 - middle) * growth / (n_first * n_second)
        if area - middle > Z * math.sqrt(variance):
            low = middle
        else:
            high = middle
    return low


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0
