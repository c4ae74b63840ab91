import numpy as np
import pytest

from apple_clf.arrays import FloatArray, IntArray
from apple_clf.checks.label_suspects import label_suspects
from apple_clf.checks.precision import Judged, precision, worth_a_look


def networks(
    n: int, *, right: float, noise: float, rare: float = 0.5
) -> tuple[IntArray, FloatArray, IntArray]:
    """Given labels, probabilities of networks that are right so often, and true labels."""
    rng = np.random.default_rng(0)
    truth = (rng.random(n) < rare).astype(np.int32)
    labels = np.where(rng.random(n) < noise, 1 - truth, truth).astype(np.int32)
    answers = np.where(rng.random(n) < right, truth, 1 - truth)
    sure = rng.uniform(0.6, 1, n)
    probabilities = np.where(np.arange(2) == answers[:, None], sure[:, None], 1 - sure[:, None])
    return labels, probabilities, truth


def judge(labels: IntArray, probabilities: FloatArray) -> Judged:
    return worth_a_look(labels, probabilities, label_suspects(labels, probabilities))


@pytest.mark.parametrize("right", [0.5, 0.59, 0.65])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_networks_that_are_often_wrong_judge_no_label(right: float, noise: float) -> None:
    labels, probabilities, _ = networks(2000, right=right, noise=noise)
    judged = judge(labels, probabilities)
    assert judged.n_contradicted > 100
    assert len(judged.suspects.indices) == 0


@pytest.mark.parametrize("noise", [0.02, 0.05, 0.1])
def test_good_networks_list_all_suspects_and_the_estimate_holds(noise: float) -> None:
    labels, probabilities, truth = networks(20_000, right=0.95, noise=noise)
    judged = judge(labels, probabilities)
    listed = judged.suspects.indices
    assert len(listed) == judged.n_contradicted
    wrong = np.mean(labels[listed] != truth[listed])
    assert precision(judged.contradicted, noise=noise) == pytest.approx(wrong, abs=0.05)


def test_list_ends_where_networks_are_less_sure_and_mostly_wrong() -> None:
    labels, probabilities, truth = networks(4000, right=0.98, noise=0.1)
    unsure = np.arange(4000) >= 2000
    guesses = np.random.default_rng(1).choice([-0.15, 0.15], 2000)
    probabilities[unsure] = 0.5 + guesses[:, None] * [1, -1]
    judged = judge(labels, probabilities)
    listed = judged.suspects.indices
    assert 100 < len(listed) < judged.n_contradicted / 2
    assert not unsure[listed].any()
    assert np.mean(labels[listed] != truth[listed]) > 0.5


def test_networks_that_always_answer_the_large_class_judge_no_label() -> None:
    labels = (np.arange(1000) < 50).astype(np.int32)
    large = np.random.default_rng(0).uniform(0.9, 1, 1000)
    probabilities = np.column_stack((large, 1 - large))
    judged = judge(labels, probabilities)
    assert judged.n_contradicted >= 20
    assert len(judged.suspects.indices) == 0


def test_nothing_contradicted_is_nothing_listed() -> None:
    labels = np.arange(30) % 3
    judged = judge(labels, np.eye(3)[labels])
    assert (judged.n_contradicted, len(judged.suspects.indices)) == (0, 0)


@pytest.mark.parametrize(
    ("contradicted", "noise", "expected"),
    [(0.1, 0.1, 1.0), (0.05, 0.1, 1.0), (0.18, 0.1, 0.5), (0.5, 0.1, 0.1), (0.0, 0.1, 1.0)],
)
def test_precision_by_hand(contradicted: float, noise: float, expected: float) -> None:
    assert precision(contradicted, noise=noise) == pytest.approx(expected)
