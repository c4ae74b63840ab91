"""Intervals against published values, brute force and seeded simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apple_clf.arrays import FloatArray, IntArray
from apple_clf.metrics import intervals
from apple_clf.metrics.intervals import Estimate


def bounds(estimate: Estimate) -> tuple[float, float]:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.low, estimate.high


@pytest.mark.parametrize(
    ("successes", "trials", "plain", "corrected"),
    [  # Newcombe 1998, Statistics in Medicine 17, 857-872, table I, methods 3 and 4
        (81, 263, (0.2553, 0.3662), (0.2535, 0.3682)),
        (15, 148, (0.0624, 0.1605), (0.0598, 0.1644)),
        (0, 20, (0.0, 0.1611), (0.0, 0.2005)),
        (1, 29, (0.0061, 0.1718), (0.0018, 0.1963)),
    ],
)
def test_wilson_intervals_are_the_published_ones(
    successes: int, trials: int, plain: tuple[float, float], corrected: tuple[float, float]
) -> None:
    assert bounds(intervals.wilson(successes, trials)) == pytest.approx(plain, abs=6e-5)
    one = intervals.mean_of_proportions(np.array([successes]), np.array([trials]))
    assert bounds(one) == pytest.approx(corrected, abs=6e-5)


@pytest.mark.parametrize(
    ("first", "second", "difference"),
    [  # Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 11
        ((56, 70), (48, 80), (0.0428, 0.3422)),
        ((9, 10), (3, 10), (0.1013, 0.8387)),
    ],
)
def test_mean_of_two_proportions_is_the_published_difference(
    first: tuple[int, int], second: tuple[int, int], difference: tuple[float, float]
) -> None:
    # p1 - p2 = 2 * mean(p1, 1 - p2) - 1
    successes = np.array([first[0], second[1] - second[0]])
    mean = intervals.mean_of_proportions(successes, np.array([first[1], second[1]]))
    low, high = bounds(mean)
    assert (2 * low - 1, 2 * high - 1) == pytest.approx(difference, abs=6e-5)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=5))
@settings(deadline=None)
def test_mean_of_proportions_holds_its_value(pairs: list[tuple[int, int]]) -> None:
    found, missed = np.array(pairs).T
    trials = np.maximum(found + missed, 1)
    estimate = intervals.mean_of_proportions(np.minimum(found, trials), trials)
    low, high = bounds(estimate)
    assert estimate.value is not None
    assert 0 <= low <= estimate.value <= high <= 1
    assert low < high


@pytest.mark.parametrize("images", [(1, 1), (2, 2), (4, 4), (10, 10), (2, 50), (1, 50)])
def test_a_guesser_seldom_passes_for_better_than_guessing(images: tuple[int, int]) -> None:
    """The exact chance, over every outcome, that guessing is called better than guessing."""
    trials = np.array(images)
    for chance in (0.02, 0.2, 0.5):
        passed = 0.0
        for first in range(images[0] + 1):
            for second in range(images[1] + 1):
                estimate = intervals.mean_of_proportions(np.array([first, second]), trials)
                if bounds(estimate)[0] > 0.5:
                    passed += binomial(first, images[0], chance) * binomial(
                        second, images[1], 1 - chance
                    )
        assert passed <= 0.03


def binomial(successes: int, trials: int, p: float) -> float:
    return math.comb(trials, successes) * p**successes * (1 - p) ** (trials - successes)


def two_normals(
    rng: np.random.Generator, counts: tuple[int, ...], *, separation: float
) -> tuple[IntArray, FloatArray]:
    """Soft answers of classes whose logits are shifted by `separation` for the true class."""
    y_true = np.repeat(np.arange(len(counts)), counts)
    logits = rng.normal(size=(y_true.size, len(counts)))
    logits[np.arange(y_true.size), y_true] += separation
    odds = np.exp(logits)
    return y_true, odds / odds.sum(axis=1, keepdims=True)


def test_delong_is_what_all_pairs_give() -> None:
    y_true, y_prob = two_normals(np.random.default_rng(5), (13, 8), separation=0.6)
    y_prob = y_prob.round(1)  # ties
    positives, negatives = y_prob[y_true == 1, 1], y_prob[y_true == 0, 1]
    order = (np.sign(positives[:, None] - negatives) + 1) / 2  # (positives, negatives)
    area = order.mean()
    variance = order.mean(axis=1).var(ddof=1) / 8 + order.mean(axis=0).var(ddof=1) / 13
    half = 1.959964 * math.sqrt(variance) / (area * (1 - area))
    logit = math.log(area / (1 - area))
    expected = [1 / (1 + math.exp(-(logit + shift))) for shift in (-half, half)]
    estimate = intervals.area_under_roc(y_true, y_prob, classes=[1])
    assert estimate.value == pytest.approx(area)
    assert bounds(estimate) == pytest.approx(expected, abs=1e-6)
    assert estimate.method == "delong, logit"


def test_macro_area_of_two_mirrored_classes_is_the_binary_one() -> None:
    y_true, y_prob = two_normals(np.random.default_rng(6), (20, 15), separation=0.5)
    binary = intervals.area_under_roc(y_true, y_prob, classes=[1])
    macro = intervals.area_under_roc(y_true, y_prob, classes=[0, 1])
    assert macro.value == pytest.approx(binary.value)
    assert bounds(macro) == pytest.approx(bounds(binary))


@pytest.mark.parametrize(
    ("counts", "separation"), [((40, 25), 0.8), ((30, 20, 25), 0.8)], ids=["binary", "three"]
)
def test_area_interval_covers_as_often_as_it_says(
    counts: tuple[int, ...], separation: float
) -> None:
    classes = [1] if len(counts) == 2 else range(len(counts))
    rng = np.random.default_rng(7)
    many = tuple(400 * count for count in counts)
    truth = intervals.area_under_roc(
        *two_normals(rng, many, separation=separation), classes=classes
    ).value
    assert truth is not None
    covered = 0
    for _ in range(300):
        low, high = bounds(
            intervals.area_under_roc(
                *two_normals(rng, counts, separation=separation), classes=classes
            )
        )
        covered += low <= truth <= high
    assert 0.91 <= covered / 300 <= 0.985


@pytest.mark.parametrize(
    "y_prob",
    [np.array([0.1, 0.2, 0.3, 0.7, 0.9]), np.full(5, 0.5), np.array([0.9, 0.8, 0.7, 0.2, 0.1])],
    ids=["perfect", "all tied", "perfectly wrong"],
)
def test_area_without_spread_still_has_an_interval(y_prob: FloatArray) -> None:
    y_true = np.array([0, 0, 0, 1, 1])
    estimate = intervals.area_under_roc(y_true, np.column_stack((1 - y_prob, y_prob)), classes=[1])
    assert estimate.value is not None
    assert estimate.method == "newcombe"
    low, high = bounds(estimate)
    assert low <= estimate.value <= high
    assert high - low > 0.4


def test_newcombes_bound_solves_its_equation() -> None:
    y_true = np.repeat([0, 1], [12, 10])
    estimate = intervals.area_under_roc(y_true, np.eye(2)[y_true], classes=[1])
    low, high = bounds(estimate)
    spare = 11 - 1
    variance = low * (1 - low) * (1 + spare * (1 - low) / (2 - low) + spare * low / (1 + low)) / 120
    assert 1 - low == pytest.approx(1.959964 * math.sqrt(variance), rel=1e-6)
    assert high == 1


def test_one_image_of_a_class_gives_a_wide_area_interval() -> None:
    y_true = np.array([0, 0, 0, 1])
    score = np.array([0.1, 0.2, 0.6, 0.5])
    estimate = intervals.area_under_roc(y_true, np.column_stack((1 - score, score)), classes=[1])
    low, high = bounds(estimate)
    assert high - low > 0.5


def test_bootstrap_keeps_the_size_of_each_stratum() -> None:
    strata = np.array([0, 1, 1, 0, 2])
    sums = intervals.bootstrap_sums(np.eye(3)[strata], strata, seed=0)
    assert sums.shape == (1000, 3)
    assert np.all(sums == [2, 2, 1])


def test_bootstrap_has_the_mean_and_spread_of_resampling() -> None:
    values = np.array([0.0, 1.0, 2.0, 3.0, 10.0])
    sums = intervals.bootstrap_sums(values[:, None], np.zeros(5, np.int64), seed=0)[:, 0]
    assert sums.mean() == pytest.approx(values.sum(), rel=0.05)
    assert sums.std() == pytest.approx(math.sqrt(5) * values.std(), rel=0.1)


def test_bootstrap_repeats_with_its_seed_only() -> None:
    columns, strata = np.arange(8.0)[:, None], np.zeros(8, np.int64)
    first = intervals.bootstrap_sums(columns, strata, seed=1)
    assert np.array_equal(first, intervals.bootstrap_sums(columns, strata, seed=1))
    assert not np.array_equal(first, intervals.bootstrap_sums(columns, strata, seed=2))


def test_bootstrap_does_not_depend_on_chunks_for_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "CHUNK", 64)
    sums = intervals.bootstrap_sums(np.ones((20, 1)), np.zeros(20, np.int64), seed=0)
    assert np.all(sums == 20)


def test_large_samples_are_resampled_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "RESAMPLING_BUDGET", 5000)
    assert len(intervals.bootstrap_sums(np.ones((10, 1)), np.zeros(10, np.int64), seed=0)) == 500
    assert len(intervals.bootstrap_sums(np.ones((99, 1)), np.zeros(99, np.int64), seed=0)) == 200


def test_percentile_interval_is_the_middle_95_of_100() -> None:
    estimate = intervals.percentile_interval(0.5, np.linspace(0, 1, 1001))
    assert bounds(estimate) == pytest.approx((0.025, 0.975))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(0.35, (0.205, 0.395), id="mirrored at the value"),
        pytest.param(0.04, (0.0, 0.04), id="from 0 if chance gives as much, up to the value"),
    ],
)
def test_pivotal_interval(value: float, expected: tuple[float, float]) -> None:
    estimate = intervals.pivotal_interval(
        value, np.linspace(0.3, 0.5, 1001), by_chance=np.linspace(0, 0.05, 1001)
    )
    assert bounds(estimate) == pytest.approx(expected)
