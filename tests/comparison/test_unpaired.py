import numpy as np
import pytest
from scipy import stats

from apple_clf.comparison.unpaired import independent_difference, seed_mean
from apple_clf.metrics import Estimate, wilson
from apple_clf.metrics.intervals import undefined


def test_interval_is_newcombes() -> None:
    # Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10: 56/70 - 48/80
    found = independent_difference([wilson(48, 80)], [wilson(56, 70)])
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_p_value_and_interval_agree() -> None:
    for hits in range(50, 80):
        found = independent_difference([wilson(50, 100)], [wilson(hits, 100)])
        assert found is not None
        assert (found.p < 0.05) == (found.low > 0)


def test_mean_over_seeds_has_students_interval() -> None:
    values = [0.91, 0.93, 0.96, 0.92]
    found = seed_mean([Estimate(value, 0.0, 1.0, "any") for value in values])
    expected = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert found is not None
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.value == pytest.approx(np.mean(values))


def test_one_seed_keeps_its_interval_over_images() -> None:
    assert seed_mean([wilson(9, 10)]) == wilson(9, 10)


def test_what_is_undefined_for_one_is_undefined_for_all() -> None:
    nothing = undefined("only one class is present")
    assert seed_mean([wilson(9, 10), nothing]) is None
    assert seed_mean([nothing]) is None
    assert independent_difference([wilson(9, 10)], [nothing]) is None


def test_seeds_widen_the_interval_over_images() -> None:
    alike = [wilson(90, 100)] * 3
    apart = [wilson(hits, 100) for hits in (88, 90, 92)]
    narrow, wide = (independent_difference(alike, side) for side in (alike, apart))
    assert narrow is not None
    assert wide is not None
    assert wide.high - wide.low > 1.1 * (narrow.high - narrow.low)


def test_intervals_cover_in_about_95_of_100_cases() -> None:
    rng = np.random.default_rng(4)
    covered = 0
    for first, second in zip(rng.binomial(90, 0.8, 4000), rng.binomial(60, 0.9, 4000), strict=True):
        found = independent_difference([wilson(first, 90)], [wilson(second, 60)])
        assert found is not None
        covered += found.low <= 0.1 <= found.high
    assert 0.94 < covered / 4000 < 0.97
