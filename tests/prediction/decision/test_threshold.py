import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score, precision_recall_curve

from apple_clf.arrays import FloatArray, IntArray
from apple_clf.metrics.scores import predicted_classes
from apple_clf.prediction.decision.threshold import choose_threshold

GOALS = ("balanced_accuracy", "f1", "precision>=0.8", "recall>=0.9")


def answers(seed: int, *, n: int = 60) -> tuple[IntArray, FloatArray]:
    """Labels, and probabilities with ties that know something of them."""
    rng = np.random.default_rng(seed)
    y_true = np.append(rng.integers(2, size=n - 2), [0, 1])
    score = np.round(np.clip(rng.normal(0.4 + 0.2 * (y_true == 0), 0.2), 0, 1), 2)
    return y_true, np.column_stack([score, 1 - score]).astype(np.float32)


def best_by_scikit_learn(y_true: IntArray, score: FloatArray, goal: str) -> float:
    """The goal's metric, or of a least one its counterpart, over scikit-learn's thresholds."""
    positive = y_true == 0
    precision, recall, thresholds = precision_recall_curve(positive, score)
    precision, recall = precision[:-1], recall[:-1]
    metric, _, least = goal.partition(">=")
    if metric == "precision":
        return float(recall[precision >= float(least)].max())
    if metric == "recall":
        return float(precision[recall >= float(least)].max())
    score_of = {"balanced_accuracy": balanced_accuracy_score, "f1": f1_score}[metric]
    return float(max(score_of(positive, score >= threshold) for threshold in thresholds))


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("seed", range(5))
def test_threshold_serves_its_goal_as_well_as_any_of_scikit_learn(goal: str, seed: int) -> None:
    y_true, y_prob = answers(seed)
    choice = choose_threshold(y_true, y_prob, positive=0, goal=goal)
    assert (choice.goal, choice.reached) == (goal, True)
    called = predicted_classes(y_prob, positive=0, threshold=choice.threshold) == 0
    hits = int((called & (y_true == 0)).sum())
    reached = {
        "balanced_accuracy": balanced_accuracy_score(y_true == 0, called),
        "f1": f1_score(y_true == 0, called),
        "precision": hits / (y_true == 0).sum(),  # its counterpart
        "recall": hits / called.sum(),
    }[goal.partition(">=")[0]]
    assert reached == pytest.approx(best_by_scikit_learn(y_true, y_prob[:, 0], goal))


@pytest.mark.parametrize("positive", [0, 1])
def test_threshold_lies_in_the_middle_between_neighbouring_scores(positive: int) -> None:
    score = np.array([0.1, 0.2, 0.6, 0.9])
    y_true = np.where(score > 0.5, positive, 1 - positive)
    y_prob = np.empty((4, 2))
    y_prob[:, positive], y_prob[:, 1 - positive] = score, 1 - score
    for goal in ("balanced_accuracy", "f1", "precision>=1", "recall>=1"):
        choice = choose_threshold(y_true, y_prob, positive=positive, goal=goal)
        assert choice.threshold == pytest.approx(0.4)
        assert choice.value == 1


def test_of_equal_thresholds_the_one_nearest_to_a_half_is_taken() -> None:
    # balanced accuracy 0.75 both from 0.35 and from 0.85 on
    score = np.array([0.2, 0.3, 0.4, 0.8, 0.9, 0.95])
    y_true = np.array([1, 1, 0, 1, 0, 0])
    y_true_two = np.array([1, 0, 1, 1, 0, 0])
    y_prob = np.column_stack([score, 1 - score])
    assert choose_threshold(y_true, y_prob, positive=0, goal="f1").threshold == pytest.approx(0.35)
    choice = choose_threshold(y_true_two, y_prob, positive=0, goal="balanced_accuracy")
    assert choice.threshold == pytest.approx(0.85)


def test_precision_out_of_reach_gives_the_nearest_one_and_says_so() -> None:
    score = np.array([0.2, 0.4, 0.6, 0.8])
    y_true = np.array([0, 1, 0, 1])  # the surest is wrong
    choice = choose_threshold(
        y_true, np.column_stack([score, 1 - score]), positive=0, goal="precision>=0.9"
    )
    assert not choice.reached
    assert choice.value == pytest.approx(0.5)
    assert choice.threshold == 0  # with the most recall


@given(
    st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1, width=32)), min_size=2, max_size=12),
    st.sampled_from(GOALS),
)
def test_value_is_what_the_threshold_gives_whatever_the_scores(
    rows: list[tuple[int, float]], goal: str
) -> None:
    y_true = np.array([label for label, _ in rows])
    assume(len(set(y_true.tolist())) == 2)
    score = np.array([value for _, value in rows], np.float32)
    y_prob = np.column_stack([score, 1 - score])
    choice = choose_threshold(y_true, y_prob, positive=0, goal=goal)
    called = predicted_classes(y_prob, positive=0, threshold=choice.threshold) == 0
    positive = y_true == 0
    hits = (called & positive).sum()
    expected = {
        "balanced_accuracy": (
            hits / positive.sum() + (~called & ~positive).sum() / (~positive).sum()
        )
        / 2,
        "f1": 2 * hits / (called.sum() + positive.sum()),
        "precision": hits / called.sum(),
        "recall": hits / positive.sum(),
    }[goal.partition(">=")[0]]
    assert choice.value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("y_true", "goal", "words"),
    [
        pytest.param([0, 0], "f1", "both classes", id="one_class"),
        pytest.param([0, 1], "accuracy", "'accuracy' is not a goal", id="unknown"),
        pytest.param([0, 1], "f1>=0.5", "is not a goal", id="f1_has_no_least"),
    ],
)
def test_what_cannot_be_chosen_is_refused(y_true: list[int], goal: str, words: str) -> None:
    y_prob = np.array([[0.5, 0.5], [0.2, 0.8]])
    with pytest.raises(ValueError, match=words):
        choose_threshold(np.array(y_true), y_prob, positive=0, goal=goal)
