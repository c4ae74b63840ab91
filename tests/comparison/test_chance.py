import math

import numpy as np
import pytest
from scipy import stats

from apple_clf.comparison import chance
from apple_clf.comparison.chance import (
    holm,
    mcnemar_mid_p,
    sign_test_mid_p,
    t_quantile,
    two_sided_p,
)


@pytest.mark.parametrize("df", [1, 2, 4.7, 30, 9999])
@pytest.mark.parametrize("t", [0, 0.3, -2.2, 9.0])
def test_tail_of_t_is_that_of_scipy(t: float, df: float) -> None:
    assert two_sided_p(t, df=df) == pytest.approx(2 * stats.t.sf(abs(t), df), rel=1e-9)


def test_tail_without_end_is_the_normal_one() -> None:
    assert two_sided_p(1.5, df=math.inf) == pytest.approx(2 * stats.norm.sf(1.5))
    assert two_sided_p(math.inf, df=3) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("df", [1, 2.5, 10, math.inf])
def test_quantile_of_t_is_that_of_scipy(df: float) -> None:
    assert t_quantile(df) == pytest.approx(stats.t.ppf(0.975, df))


@pytest.mark.parametrize(("b", "c"), [(1, 0), (0, 9), (3, 12), (40, 41), (700, 800)])
def test_mid_p_is_the_exact_one_less_half_of_the_observed(b: int, c: int) -> None:
    exact = stats.binomtest(b, b + c).pvalue
    expected = exact - stats.binom.pmf(b, b + c, 0.5)
    assert mcnemar_mid_p(b, c) == pytest.approx(expected)
    assert mcnemar_mid_p(c, b) == mcnemar_mid_p(b, c)


@pytest.mark.parametrize("n", [0, 1, 50])
def test_an_even_split_is_no_evidence(n: int) -> None:
    assert mcnemar_mid_p(n, n) == 1


def test_sign_test_of_equal_classes_is_mcnemars() -> None:
    b, c = np.array([3, 4]), np.array([12, 8])
    found = sign_test_mid_p(b, c, weights=np.array([0.1, 0.1]), seed=1)
    assert found == pytest.approx(mcnemar_mid_p(7, 20), abs=0.001)


def test_sign_test_of_unequal_classes_is_a_permutation_test() -> None:
    b, c, weights = np.array([1, 2]), np.array([6, 3]), np.array([0.25, 0.1])
    steps = np.repeat([0.25, 0.1], b + c)
    signs = np.concatenate([np.repeat([-1, 1], each) for each in zip(b, c, strict=True)])
    result = stats.permutation_test(
        ((signs * steps), np.zeros(len(steps))),
        lambda x, y: np.sum(x - y),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=False,
    )
    far, seen = np.abs(result.null_distribution), abs(result.statistic)
    expected = np.mean(far > seen + 1e-9) + np.mean(np.abs(far - seen) <= 1e-9) / 2
    assert sign_test_mid_p(b, c, weights=weights, seed=1) == pytest.approx(expected, abs=0.004)


def test_holm_multiplies_the_smallest_by_all_and_keeps_their_order() -> None:
    # Holm 1979's procedure on four p-values, done by hand
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1, 1]
    assert holm([]) == []


def test_equal_networks_are_called_different_in_about_5_of_100_cases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chance, "DRAWS", 2000)
    rng = np.random.default_rng(0)
    sizes, weights = np.array([50, 250]), 1 / np.array([100, 500])
    alone = rng.binomial(sizes, [0.3, 0.05], (2500, 2))  # images that one alone got right
    first = rng.binomial(alone, 0.5)
    p_values = np.array(
        [
            (
                sign_test_mid_p(b, n - b, weights=weights, seed=i),
                mcnemar_mid_p(int(b.sum()), int((n - b).sum())),
                stats.binomtest(int(b.sum()), int(n.sum())).pvalue,
            )
            for i, (b, n) in enumerate(zip(first, alone, strict=True))
        ]
    )
    weighted, mid_p, exact = np.mean(p_values < 0.05, axis=0)
    assert 0.038 < weighted < 0.06
    assert 0.038 < mid_p < 0.06
    assert exact < 0.035  # why the exact test was not chosen
