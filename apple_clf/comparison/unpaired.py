"""Differences of networks, or groups of them, that answered different images.

The two are independent samples, so their intervals are squared and added.
"""

import math
from collections.abc import Sequence

from apple_clf.comparison.chance import t_quantile, two_sided_p
from apple_clf.comparison.spread import Difference
from apple_clf.metrics.intervals import Estimate, Z


def seed_mean(estimates: Sequence[Estimate]) -> Estimate | None:
    """Mean over seeds with its 95 % interval by Student's t; None if a value is undefined.

    The interval tells of other seeds on the same images, not of other images. For one estimate it
    is that estimate.

    Args:
        estimates: of one metric, each of another seed.
    """
    if len(estimates) == 1:
        return estimates[0] if estimates[0].value is not None else None
    values = [each.value for each in estimates if each.value is not None]
    if len(values) < len(estimates):
        return None
    mean = math.fsum(values) / len(values)
    half = _seed_half_width(values, mean)
    return Estimate(mean, mean - half, mean + half, "t over seeds")


def independent_difference(
    first: Sequence[Estimate], second: Sequence[Estimate]
) -> Difference | None:
    """The second's metric less the first's; None where one is undefined.

    For a group the width of its interval is that over images, which more seeds do not narrow, and
    that over seeds, squared and added.

    Args:
        first: the metric of each seed of one group, with its interval over images.
        second: likewise.

    Source:
        Newcombe 1998, Statistics in Medicine 17, 873-890, method 10; for any estimates: Zou and
        Donner 2008, Statistics in Medicine 27, 1693-1702.
    """
    sides = [_reach(first), _reach(second)]
    if sides[0] is None or sides[1] is None:
        return None
    (value, below, above), (other, other_below, other_above) = sides[0], sides[1]
    difference = other - value
    down, up = math.hypot(above, other_below), math.hypot(below, other_above)
    low, high = max(-1.0, difference - down), min(1.0, difference + up)
    toward_zero = down if difference > 0 else up
    p = two_sided_p(Z * difference / toward_zero, df=math.inf) if toward_zero else 1.0
    return Difference(difference, low, high, p, "independent samples")


def _reach(estimates: Sequence[Estimate]) -> tuple[float, float, float] | None:
    """Mean of the values, and how far its interval reaches below and above."""
    values, below, above = [], [], []
    for each in estimates:
        if each.value is None or each.low is None or each.high is None:
            return None
        values.append(each.value)
        below.append(each.value - each.low)
        above.append(each.high - each.value)
    n = len(values)
    mean = math.fsum(values) / n
    seeds = _seed_half_width(values, mean) if n > 1 else 0.0
    return mean, math.hypot(sum(below) / n, seeds), math.hypot(sum(above) / n, seeds)


def _seed_half_width(values: Sequence[float], mean: float) -> float:
    n = len(values)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    return t_quantile(n - 1) * deviation / math.sqrt(n)
