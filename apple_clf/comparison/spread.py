"""A difference between answers to the same images, and how much of it may be chance.

A group holds the networks of one experiment trained with several seeds. What is compared is then
what the experiments give on average over seeds, so chance comes in twice: other images, and other
seeds. The variance of a difference is the sum of both shares,

    Var = Var(images) + Var(seeds) - Var(images x seeds),

the last of which the first two both contain. Two single networks are taken as they are: only the
images are chance then, and nothing is said of what other seeds would have given.

A bootstrap over images does less well: it covers a true difference of balanced accuracies in as
few as 92 of 100 cases where these formulas do in 95 or more, and it shrinks to a point where two
good networks err on the same images.

Source:
    Gallas 2006, Academic Radiology 13, 353-362: many readers, many cases, each reader nested in
    one modality; a seed is a reader here.
"""

import math
from dataclasses import dataclass

import numpy as np

from apple_clf.arrays import BoolArray, FloatArray, IntArray
from apple_clf.comparison.chance import t_quantile, two_sided_p


@dataclass(frozen=True)
class Difference:
    """The second's metric less the first's, with its 95 % interval and p-value."""

    value: float
    low: float
    high: float
    p: float
    test: str


@dataclass(frozen=True)
class Spread:
    """A difference, its variance, and the degrees of freedom of that variance."""

    value: float
    variance: float
    df: float

    @classmethod
    def of_answers(
        cls, first: BoolArray, second: BoolArray, strata: IntArray, *, weight: FloatArray
    ) -> "Spread":
        """Of weighted sums of right answers, (n_seeds, n); a weight holds for a stratum, (n,).

        To each stratum half an image is added that the first alone got right, and half a one of
        the second's, so that no interval is a point. Source: Bonett and Price 2012, Journal of
        Educational and Behavioral Statistics 37, 479-488, who add twice as much to a single
        stratum; for several that comes out too wide.
        """
        parts = first * weight, second * weight
        apart = parts[1].mean(axis=0) - parts[0].mean(axis=0)
        images = 0.0
        for code in np.unique(strata):
            at = strata == code
            size = int(at.sum())
            square = (np.sum(apart[at] ** 2) + weight[at][0] ** 2) / (size + 1)
            mean = np.sum(apart[at]) / (size + 1)
            images += size**2 / (size + 1) * float(square - mean**2)
        values = parts[0].sum(axis=1), parts[1].sum(axis=1)
        return cls._with_seeds(values, parts, strata, images)

    @classmethod
    def of_ranks(
        cls,
        values: tuple[FloatArray, FloatArray],
        parts: tuple[FloatArray, FloatArray],
        strata: IntArray,
    ) -> "Spread":
        """Of metrics, (n_seeds,), to which images add unequal parts, (n_seeds, n)."""
        apart = parts[1].mean(axis=0) - parts[0].mean(axis=0)
        groups = [apart[strata == code] for code in np.unique(strata)]
        images = sum(group.size * float(group.var(ddof=1)) for group in groups)
        return cls._with_seeds(values, parts, strata, images)

    @classmethod
    def _with_seeds(
        cls,
        values: tuple[FloatArray, FloatArray],
        parts: tuple[FloatArray, FloatArray],
        strata: IntArray,
        images: float,
    ) -> "Spread":
        """Adds the seeds' share to that of the images.

        A single network beside several is taken to depend on its seed as much as they do.
        """
        counts = [len(metric) for metric in values]
        variance = doubt = 0.0
        for n_seeds, other, metric, part in zip(
            counts, reversed(counts), values, parts, strict=True
        ):
            if n_seeds > 1:
                share = 1 / n_seeds + (other == 1)
                seeds = float(metric.var(ddof=1))
                variance += share * (seeds - _interaction(part, strata))
                doubt += (share * seeds) ** 2 / (n_seeds - 1)
        variance = images + max(variance, 0.0)  # estimated, it may come out below 0
        df = max(1.0, variance**2 / doubt) if doubt else math.inf  # Satterthwaite 1946
        return cls(float(values[1].mean() - values[0].mean()), variance, df)

    def t_test(self, test: str) -> Difference:
        """The difference with Student's p-value, or the normal one where no seed is chance.

        Args:
            test: what to call it.
        """
        p = two_sided_p(self.value / math.sqrt(self.variance), df=self.df)
        return self.difference(p, test)

    def difference(self, p: float, test: str) -> Difference:
        """The difference with a p-value from elsewhere.

        Args:
            p: in [0, 1].
            test: where it is from.
        """
        half = t_quantile(self.df) * math.sqrt(self.variance)
        low, high = max(-1.0, self.value - half), min(1.0, self.value + half)
        return Difference(self.value, low, high, p, test)


def _interaction(parts: FloatArray, strata: IntArray) -> float:
    """Variance of a network's metric that comes of seeds doing well on other images each."""
    total = 0.0
    for code in np.unique(strata):
        part = parts[:, strata == code]  # (n_seeds, n)
        n_seeds, size = part.shape
        rest = part - part.mean(axis=0) - part.mean(axis=1, keepdims=True) + part.mean()
        total += size * float(np.sum(rest**2)) / ((n_seeds - 1) * max(size - 1, 1))
    return total
