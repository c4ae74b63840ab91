"""Every metric of an evaluation: what it is called, its range, and how it is estimated.

A new metric is a function in `scores`, which gives its value, and an entry of `METRICS`, whose
`estimate` adds the interval. Evaluation, command line, report, comparison and docs take everything
else from the entry.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from apple_clf.arrays import FloatArray, IntArray
from apple_clf.metrics.curves import confidence_bins, confusion_matrix
from apple_clf.metrics.intervals import (
    CHUNK,
    MIN_RESAMPLES,
    RESAMPLES,
    Estimate,
    area_under_roc,
    bootstrap_sums,
    mean_of_proportions,
    percentile_interval,
    pivotal_interval,
    undefined,
    wilson,
)
from apple_clf.metrics.scores import (
    N_BINS,
    average_precision,
    brier_score,
    calibration_gaps,
    expected_calibration_error,
    in_top_2,
    log_loss,
    log_losses,
    matthews_of_counts,
    ranked_classes,
    squared_errors,
)

MATTHEWS_BUDGET = 2_000_000
"""Shares drawn in all for an interval; with many classes, fewer matrices are drawn."""


@dataclass(frozen=True)
class Answers:
    """Labelled images with a classifier's answers, and what several metrics need of them."""

    y_true: IntArray  # class codes, (n,)
    y_prob: FloatArray  # (n, n_classes)
    y_pred: IntArray  # class codes, (n,)
    positive: int  # class code
    seed: int  # of the bootstrap

    @property
    def n_classes(self) -> int:
        """Number of classes that the classifier knows."""
        n_classes: int = self.y_prob.shape[1]
        return n_classes

    @cached_property
    def confusion(self) -> IntArray:
        """Counts, (n_classes, n_classes): a row per true class, a column per predicted one."""
        return confusion_matrix(self.y_true, self.y_pred, n_classes=self.n_classes)

    @property
    def hits(self) -> int:
        """Images of the positive class that were found."""
        return int(self.confusion[self.positive, self.positive])

    @property
    def n_called(self) -> int:
        """Images predicted as the positive class."""
        return int(self.confusion[:, self.positive].sum())

    @property
    def n_positive(self) -> int:
        """Images of the positive class."""
        return int(self.confusion[self.positive].sum())

    @cached_property
    def resampled(self) -> FloatArray:
        """Bootstrap means, (resamples, 2 + n_bins): log loss, Brier score, calibration gaps."""
        columns = np.column_stack(
            (
                log_losses(self.y_true, self.y_prob),
                squared_errors(self.y_true, self.y_prob),
                calibration_gaps(self.y_true, self.y_prob),
            )
        )
        means: FloatArray = bootstrap_sums(columns, self.y_true, seed=self.seed) / self.y_true.size
        return means


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: its key in metrics.json, and its function in `scores`.
        words: its name as a person writes it.
        meaning: what it says, in a few words.
        low: least value that is possible.
        high: largest value that is possible; infinity if there is none.
        larger_is_better: whether a larger value means a better classifier.
        estimate: its value with a 95 % interval.
        min_classes: number of classes from which on it is measured.
    """

    name: str
    words: str
    meaning: str
    low: float
    high: float
    larger_is_better: bool
    estimate: Callable[[Answers], Estimate]
    min_classes: int = 2


def _accuracy(answers: Answers) -> Estimate:
    return wilson(int(answers.confusion.diagonal().sum()), answers.y_true.size)


def _top_2_accuracy(answers: Answers) -> Estimate:
    return wilson(int(in_top_2(answers.y_true, answers.y_prob).sum()), answers.y_true.size)


def _balanced_accuracy(answers: Answers) -> Estimate:
    images, found = answers.confusion.sum(axis=1), answers.confusion.diagonal()
    present = images > 0
    if present.sum() < 2:
        return undefined("only one class is present")
    return mean_of_proportions(found[present], images[present])


def _precision(answers: Answers) -> Estimate:
    reason = "no image was predicted as the positive class"
    return _proportion(answers.hits, answers.n_called, reason)


def _recall(answers: Answers) -> Estimate:
    return _proportion(
        answers.hits, answers.n_positive, "no image of the positive class is present"
    )


def _f1(answers: Answers) -> Estimate:
    """F1 = 2 J / (1 + J) rises with the Jaccard index J, a proportion: map J's Wilson interval.

    Source: Lam 2023, arXiv:2309.14621, the indirect method.
    """
    union = answers.n_called + answers.n_positive - answers.hits
    jaccard = _proportion(
        answers.hits, union, "the positive class is neither present nor predicted"
    )
    if jaccard.value is None or jaccard.low is None or jaccard.high is None:
        return jaccard
    value, low, high = (2 * j / (1 + j) for j in (jaccard.value, jaccard.low, jaccard.high))
    return Estimate(value, low, high, "wilson of the Jaccard index")


def _matthews_correlation(answers: Answers) -> Estimate:
    """Between percentiles of confusion matrices drawn from their posterior, class by class.

    The prior counts one image a class, spread evenly over the answers; for two classes that is
    Jeffreys's. So the interval does not shrink to a point where no mistake was made.

    Source: Caelen 2017, Annals of Mathematics and Artificial Intelligence 81, 429-450.
    """
    counts = answers.confusion
    sizes = counts.sum(axis=1, keepdims=True)  # (n_classes, 1)
    if np.count_nonzero(sizes) < 2:
        return undefined("only one class is present")
    value = float(matthews_of_counts(counts[None])[0])
    draws = max(MIN_RESAMPLES, min(RESAMPLES, MATTHEWS_BUDGET // counts.size))
    rng = np.random.default_rng([answers.seed, 2])
    step = max(1, CHUNK // counts.size)
    drawn = []
    for start in range(0, draws, step):
        shape = (min(step, draws - start), *counts.shape)
        shares = rng.standard_gamma(counts + 1 / answers.n_classes, shape)
        shares *= sizes / shares.sum(axis=2, keepdims=True)
        drawn.append(matthews_of_counts(shares))
    low, high = np.quantile(np.concatenate(drawn), [0.025, 0.975])
    return Estimate(value, min(value, float(low)), max(value, float(high)), "posterior, percentile")


def _roc_auc(answers: Answers) -> Estimate:
    codes = ranked_classes(answers.y_true, answers.y_prob)
    if not codes:
        return undefined("only one class is present")
    return area_under_roc(answers.y_true, answers.y_prob, classes=codes)


def _average_precision(answers: Answers) -> Estimate:
    """Treated as a proportion of the positive images: wide, never too narrow.

    The bootstrap covers it in 71 to 92 of 100 cases, this in 96 or more.

    Source: Boyd, Eng and Page 2013, ECML PKDD, 451-466, the binomial interval.
    """
    n_positive = answers.n_positive
    value = average_precision(answers.y_true, answers.y_prob, positive=answers.positive)
    return _proportion(value * n_positive, n_positive, "no image of the positive class is present")


def _log_loss(answers: Answers) -> Estimate:
    return percentile_interval(log_loss(answers.y_true, answers.y_prob), answers.resampled[:, 0])


def _brier_score(answers: Answers) -> Estimate:
    return percentile_interval(brier_score(answers.y_true, answers.y_prob), answers.resampled[:, 1])


def _expected_calibration_error(answers: Answers) -> Estimate:
    return pivotal_interval(
        expected_calibration_error(answers.y_true, answers.y_prob),
        np.abs(answers.resampled[:, 2:]).sum(axis=1),
        by_chance=_calibration_errors_by_chance(answers),
    )


def _calibration_errors_by_chance(answers: Answers) -> FloatArray:
    """Calibration errors, (1000,), were each answer right as often as its confidence says.

    The sum of a bin's gaps is drawn from the normal distribution that it then approaches.
    """
    confidence, _, bins = confidence_bins(answers.y_true, answers.y_prob, n_bins=N_BINS)
    spread = np.sqrt(np.bincount(bins, weights=confidence * (1 - confidence), minlength=N_BINS))
    rng = np.random.default_rng([answers.seed, 1])
    errors: FloatArray = np.abs(rng.normal(scale=spread, size=(1000, N_BINS))).sum(axis=1)
    return errors / answers.y_true.size


def _proportion(successes: float, trials: int, reason: str) -> Estimate:
    return wilson(successes, trials) if trials else undefined(reason)


_ALL = (
    Metric(
        name="accuracy",
        words="accuracy",
        meaning="share of all images that are classified correctly",
        low=0,
        high=1,
        larger_is_better=True,
        estimate=_accuracy,
    ),
    Metric(
        name="top_2_accuracy",
        words="top-2 accuracy",
        meaning="share of all images whose class is one of the two most probable",
        low=0,
        high=1,
        larger_is_better=True,
        estimate=_top_2_accuracy,
        min_classes=3,
    ),
    Metric(
        name="balanced_accuracy",
        words="balanced accuracy",
        meaning="mean over the classes of the share that is classified correctly",
        low=0,
        high=1,
        larger_is_better=True,
        estimate=_balanced_accuracy,
    ),
    Metric(
        name="precision",
        words="precision",
        meaning="share of the images classified as positive that are positive",
        low=0,
        high=1,
        larger_is_better=True,
        estimate=_precision,
    ),
    Metric(
        name="recall",
        words="recall",
        meaning="share of the positive images that are classified as positive",
        low=0,
        high=1,
        larger_is_better=True,
        estimate=_recall,
    ),
    Metric(
        name="f1",
        words="F1",
        meaning="harmonic mean of precision and recall",
        low=0,
        high=1,
        larger_is_better=True,
        estimate=_f1,
    ),
    Metric(
        name="matthews_correlation",
        words="Matthews correlation",
        meaning="correlation between true and predicted classes; 0 for guessing",
        low=-1,
        high=1,
        larger_is_better=True,
        estimate=_matthews_correlation,
    ),
    Metric(
        name="roc_auc",
        words="ROC AUC",
        meaning="how well it ranks images; 0.5 for guessing",
        low=0,
        high=1,
        larger_is_better=True,
        estimate=_roc_auc,
    ),
    Metric(
        name="average_precision",
        words="average precision",
        meaning="area under the precision-recall curve of the positive class",
        low=0,
        high=1,
        larger_is_better=True,
        estimate=_average_precision,
    ),
    Metric(
        name="log_loss",
        words="log loss",
        meaning="mean of -ln(probability of the true class)",
        low=0,
        high=math.inf,
        larger_is_better=False,
        estimate=_log_loss,
    ),
    Metric(
        name="brier_score",
        words="Brier score",
        meaning="mean squared error of the probabilities; at most 1 for two classes",
        low=0,
        high=2,
        larger_is_better=False,
        estimate=_brier_score,
    ),
    Metric(
        name="expected_calibration_error",
        words="calibration error",
        meaning="mean gap between confidence and accuracy",
        low=0,
        high=1,
        larger_is_better=False,
        estimate=_expected_calibration_error,
    ),
)

METRICS = {metric.name: metric for metric in _ALL}
"""Every metric by its name, in the order in which they are told."""


def words_of(name: str) -> str:
    """A metric's name as a person writes it; one of another version in its own words."""
    return METRICS[name].words if name in METRICS else name.replace("_", " ")
