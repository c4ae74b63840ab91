import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from apple_clf.arrays import BoolArray, FloatArray
from apple_clf.comparison import chance
from apple_clf.comparison.chance import mcnemar_mid_p
from apple_clf.comparison.paired import (
    accuracy_difference,
    balanced_accuracy_difference,
    roc_auc_difference,
)

RNG = np.random.default_rng(5)
LABELS = np.repeat([0, 1], [40, 80])


def answers(*accuracies: float) -> BoolArray:
    found: BoolArray = RNG.random((len(accuracies), 120)) < np.array(accuracies)[:, None]
    return found


def probabilities(n_networks: int, *, noise: float = 1.0) -> FloatArray:
    scores = LABELS + noise * RNG.normal(size=(n_networks, 120))
    positive = 1 / (1 + np.exp(-scores))
    return np.stack([1 - positive, positive], axis=-1)


def test_difference_of_accuracies_is_the_second_less_the_first() -> None:
    first, second = answers(0.9), answers(0.7)
    found = accuracy_difference(first, second)
    assert found.value == pytest.approx(second.mean() - first.mean())
    assert found.low < found.value < found.high
    b, c = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    assert found.p == mcnemar_mid_p(b, c)


@pytest.mark.parametrize(("n_first", "n_second"), [(1, 1), (4, 3), (1, 3)])
def test_difference_of_balanced_accuracies_is_that_of_scikit_learn(
    n_first: int, n_second: int
) -> None:
    sides = answers(*[0.9] * n_first), answers(*[0.8] * n_second)
    scores = [
        [balanced_accuracy_score(LABELS, np.where(right, LABELS, 1 - LABELS)) for right in side]
        for side in sides
    ]
    found = balanced_accuracy_difference(*sides, labels=LABELS)
    assert found.value == pytest.approx(np.mean(scores[1]) - np.mean(scores[0]))


@pytest.mark.parametrize(("n_first", "n_second"), [(1, 1), (4, 3)])
def test_difference_of_areas_is_that_of_scikit_learn(n_first: int, n_second: int) -> None:
    sides = probabilities(n_first), probabilities(n_second, noise=2)
    scores = [[roc_auc_score(LABELS, each[:, 1]) for each in side] for side in sides]
    found = roc_auc_difference(*sides, labels=LABELS)
    assert found is not None
    assert found.value == pytest.approx(np.mean(scores[1]) - np.mean(scores[0]))


def test_variance_of_two_areas_is_delongs() -> None:
    sides = probabilities(1), probabilities(1, noise=2)
    wins = []  # DeLong's kernel, every positive against every negative
    for side in sides:
        score = side[0, :, 1]
        margin = score[LABELS == 1][:, None] - score[LABELS == 0]
        wins.append((margin > 0) + (margin == 0) / 2)
    apart = wins[1] - wins[0]  # (positives, negatives)
    variance = apart.mean(1).var(ddof=1) / 80 + apart.mean(0).var(ddof=1) / 40
    found = roc_auc_difference(*sides, labels=LABELS)
    assert found is not None
    assert found.high - found.low == pytest.approx(2 * 1.959964 * np.sqrt(variance), rel=1e-6)


def test_networks_that_answer_alike_are_no_proof_of_equality() -> None:
    right = answers(0.9)
    found = balanced_accuracy_difference(right, right, labels=LABELS)
    assert (found.value, found.p) == (0, 1)
    assert found.low < -0.005 < 0.005 < found.high


def test_areas_without_spread_have_no_interval() -> None:
    perfect = np.eye(2)[LABELS][None]
    assert roc_auc_difference(perfect, perfect, labels=LABELS) is None
    one_of_a_class = np.repeat([0, 1], [1, 119])
    sides = probabilities(1), probabilities(1)
    assert roc_auc_difference(*sides, labels=one_of_a_class) is None


def test_another_order_of_images_changes_nothing() -> None:
    first, second, order = answers(0.9, 0.8), answers(0.8, 0.8), RNG.permutation(120)
    before = balanced_accuracy_difference(first, second, labels=LABELS)
    after = balanced_accuracy_difference(first[:, order], second[:, order], labels=LABELS[order])
    assert (before.value, before.low, before.p) == pytest.approx(
        (after.value, after.low, after.p), abs=1e-12
    )


def test_intervals_of_two_networks_cover_in_about_95_of_100_cases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chance, "DRAWS", 1)  # only intervals matter here
    rng = np.random.default_rng(1)
    n, accuracies, truth = 1500, np.array([[0.97, 0.94], [0.95, 0.90]]), -0.03
    labels = np.repeat([0, 1], [80, 120])
    covered = {"balanced": 0, "auc": 0}
    for _ in range(n):
        hard = rng.random(200)  # an image that is hard for one is often hard for the other
        alone = rng.random((2, 200))
        luck = np.where(rng.random((2, 200)) < 0.6, hard, alone)
        first, second = (luck < accuracies[:, labels])[:, None]
        found = balanced_accuracy_difference(first, second, labels=labels)
        covered["balanced"] += found.low <= truth <= found.high
        common = rng.normal(size=200)
        sides = [
            1 / (1 + np.exp(-(1.2 * labels + 0.8 * common + 0.6 * rng.normal(size=200))))
            for _ in (0, 1)
        ]
        area = roc_auc_difference(
            *(np.stack([1 - side, side], axis=-1)[None] for side in sides), labels=labels
        )
        assert area is not None
        covered["auc"] += area.low <= 0 <= area.high  # equally good ones
    assert 0.935 < covered["balanced"] / n < 0.975
    assert 0.935 < covered["auc"] / n < 0.965


@pytest.mark.parametrize(("n_first", "n_second"), [(5, 5), (4, 1)])
@pytest.mark.parametrize("by_seed", [0.0, 0.5], ids=["seeds_alike", "seeds_differ"])
def test_intervals_of_groups_cover_other_seeds_and_images(
    n_first: int, n_second: int, by_seed: float
) -> None:
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1], [120, 180])
    covered = 0
    for _ in range(400):
        ease = 2 + 1.5 * rng.normal(size=300)
        first, second = (
            rng.random((n, 300))
            < 1
            / (1 + np.exp(-ease - by_seed * rng.normal(size=(n, 1)) - rng.normal(size=(n, 300))))
            for n in (n_first, n_second)
        )
        found = balanced_accuracy_difference(first, second, labels=labels)
        covered += found.low <= 0 <= found.high
    assert 0.925 < covered / 400 < 0.995


def test_more_seeds_narrow_the_interval_but_images_remain() -> None:
    rng = np.random.default_rng(3)
    ease = rng.normal(size=120)
    widths = []
    for n in (2, 4, 40):
        first, second = (rng.random((n, 120)) < 1 / (1 + np.exp(-ease - 1)) for _ in (0, 1))
        found = accuracy_difference(first, second)
        widths.append(found.high - found.low)
    assert widths[0] > widths[1] > widths[2] > 0.01
