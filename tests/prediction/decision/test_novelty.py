import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.covariance import EmpiricalCovariance

from apple_clf.prediction.decision.novelty import (
    cross_fitted_distances,
    fit_gaussian,
    is_novel,
    novelty_threshold,
)

RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(500, 4)) @ RNG.normal(size=(4, 4)) + [5, -3, 0, 100]


def test_distance_is_the_one_of_scikit_learn() -> None:
    expected = EmpiricalCovariance().fit(NUMBERS).mahalanobis(NUMBERS)
    found = fit_gaussian(NUMBERS).distance(NUMBERS)
    np.testing.assert_allclose(found, expected, rtol=0.02)  # the ridge


def test_usual_pictures_are_about_as_far_as_there_are_numbers() -> None:
    assert fit_gaussian(NUMBERS).distance(NUMBERS).mean() == pytest.approx(4, rel=0.02)


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param(NUMBERS[:1], id="one_picture"),
        pytest.param(NUMBERS[:2], id="fewer_than_numbers"),
        pytest.param(np.ones((50, 3)), id="all_alike"),
        pytest.param(NUMBERS * [1, 0, 1, 1], id="a_number_that_never_varies"),
    ],
)
def test_what_varies_little_is_no_trouble(numbers: np.ndarray) -> None:
    gaussian = fit_gaussian(numbers)
    assert np.isfinite(gaussian.distance(numbers)).all()
    other = numbers[:1] + 1
    assert gaussian.distance(other) > gaussian.distance(numbers).max()


def test_a_picture_is_judged_by_the_others() -> None:
    numbers = NUMBERS[:20].copy()
    numbers[7] += 1000
    alone = cross_fitted_distances(numbers, np.arange(20))
    assert alone[7] > 100 * fit_gaussian(numbers).distance(numbers)[7]
    with_its_copy = np.concatenate([numbers, numbers[7:8]])
    groups = np.append(np.arange(20), 7)
    assert cross_fitted_distances(with_its_copy, groups)[7] == pytest.approx(alone[7])


@given(st.floats(0, 0.99), st.integers(1, 300))
def test_so_many_ordinary_pictures_exceed_the_threshold(rate: float, n: int) -> None:
    scores = np.random.default_rng(n).random(n)
    threshold = novelty_threshold(scores, false_alarm_rate=rate)
    alarms = is_novel(scores, threshold=threshold).sum()
    assert abs(alarms - rate * n) <= 1


def test_score_that_is_no_number_is_novel() -> None:
    assert is_novel(np.array([0.0, np.inf, np.nan, 1.0]), threshold=1.0).tolist() == [
        *(False, True, True, False)
    ]
