"""Point metrics, against scikit-learn and, for the calibration error, a plain loop."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from apple_clf.arrays import FloatArray, IntArray
from apple_clf.metrics import scores

pytestmark = pytest.mark.slow

Answers = tuple[IntArray, FloatArray]


@st.composite
def answers(draw: st.DrawFn, max_classes: int = 4) -> Answers:
    """Labels and probabilities with many ties, exact zeros and ones, and absent classes."""
    n_classes = draw(st.integers(2, max_classes))
    n = draw(st.integers(1, 25))
    weight = st.lists(st.integers(0, 3), min_size=n_classes, max_size=n_classes).filter(any)
    weights = np.array(draw(st.lists(weight, min_size=n, max_size=n)), np.float64)
    labels = draw(st.lists(st.integers(0, n_classes - 1), min_size=n, max_size=n))
    return np.array(labels), weights / weights.sum(axis=1, keepdims=True)


def same(value: float, expected: float) -> bool:
    return math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-12) or (
        math.isnan(value) and math.isnan(expected)
    )


@given(answers())
@settings(deadline=None)
def test_decision_metrics_agree_with_scikit_learn(example: Answers) -> None:
    y_true, y_prob = example
    y_pred = scores.predicted_classes(y_prob)
    assert same(scores.accuracy(y_true, y_pred), oracle.accuracy_score(y_true, y_pred))
    codes = range(y_prob.shape[1])
    precision, recall, f1, _ = oracle.precision_recall_fscore_support(
        y_true, y_pred, labels=codes, zero_division=math.nan
    )
    for k in codes:
        assert same(scores.precision(y_true, y_pred, positive=k), precision[k])
        assert same(scores.recall(y_true, y_pred, positive=k), recall[k])
        assert same(scores.f1(y_true, y_pred, positive=k), f1[k])
    assert same(scores.macro_precision(y_true, y_pred), np.nanmean(precision))
    assert same(scores.macro_recall(y_true, y_pred), np.nanmean(recall))
    assert same(scores.balanced_accuracy(y_true, y_pred), np.nanmean(recall))
    assert same(scores.macro_f1(y_true, y_pred), np.nanmean(f1))


@given(answers())
@settings(deadline=None)
def test_matthews_correlation_agrees_with_scikit_learn(example: Answers) -> None:
    y_true, y_prob = example
    y_pred = scores.predicted_classes(y_prob)
    assume(np.unique(y_true).size > 1)
    expected = oracle.matthews_corrcoef(y_true, y_pred)
    assert same(scores.matthews_correlation(y_true, y_pred), expected)


@given(answers())
@settings(deadline=None)
def test_top_2_accuracy_agrees_with_scikit_learn(example: Answers) -> None:
    y_true, y_prob = example
    last = y_prob.shape[1] - 1
    assume(last >= 2)
    expected = oracle.top_k_accuracy_score(  # of equals it takes the last
        last - y_true, y_prob[:, ::-1], k=2, labels=range(last + 1)
    )
    assert same(scores.top_2_accuracy(y_true, y_prob), expected)


@given(answers())
@settings(deadline=None)
def test_probability_metrics_agree_with_scikit_learn(example: Answers) -> None:
    y_true, y_prob = example
    codes = range(y_prob.shape[1])
    assert same(scores.log_loss(y_true, y_prob), oracle.log_loss(y_true, y_prob, labels=codes))
    assert same(
        scores.brier_score(y_true, y_prob), oracle.brier_score_loss(y_true, y_prob, labels=codes)
    )


@given(answers())
@settings(deadline=None)
def test_average_precision_agrees_with_scikit_learn(example: Answers) -> None:
    y_true, y_prob = example
    for k in np.unique(y_true):
        expected = oracle.average_precision_score(y_true == k, y_prob[:, k])
        assert same(scores.average_precision(y_true, y_prob, positive=k), expected)


@given(answers())
@settings(deadline=None)
def test_roc_auc_agrees_with_scikit_learn(example: Answers) -> None:
    y_true, y_prob = example
    present = np.unique(y_true)
    assume(present.size > 1)
    areas = [oracle.roc_auc_score(y_true == k, y_prob[:, k]) for k in present]
    assert same(scores.roc_auc(y_true, y_prob), float(np.mean(areas)))


def test_roc_auc_of_two_classes_ranks_by_class_1_even_where_class_0_is_rounded_to_1() -> None:
    y_prob = np.array([[1, 1e-12], [1, 2e-12], [1, 3e-12]], np.float32)
    assert scores.roc_auc(np.array([0, 0, 1]), y_prob) == 1


def test_roc_auc_of_all_classes_is_scikit_learns_one_versus_rest_mean() -> None:
    rng = np.random.default_rng(0)
    y_true, y_prob = np.arange(60) % 4, rng.dirichlet(np.ones(4), 60)
    expected = oracle.roc_auc_score(y_true, y_prob, multi_class="ovr")
    assert same(scores.roc_auc(y_true, y_prob), expected)


@given(answers(), st.integers(1, 20))
@settings(deadline=None)
def test_calibration_error_is_what_a_plain_loop_finds(example: Answers, n_bins: int) -> None:
    y_true, y_prob = example
    error = 0.0
    for b in range(n_bins):
        low, high = b / n_bins, (b + 1) / n_bins
        inside = [i for i, row in enumerate(y_prob) if low < max(row) <= high]
        if inside:
            confidence = sum(max(y_prob[i]) for i in inside) / len(inside)
            right = sum(list(y_prob[i]).index(max(y_prob[i])) == y_true[i] for i in inside)
            error += abs(confidence - right / len(inside)) * len(inside) / len(y_true)
    found = scores.expected_calibration_error(y_true, y_prob, n_bins=n_bins)
    assert found == pytest.approx(error, abs=1e-12)


def test_calibration_error_of_a_hand_value() -> None:
    y_true = np.array([0, 0, 1, 1])
    y_prob = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])
    # three images at 0.9, two of them right; one at 0.6, right
    assert scores.expected_calibration_error(y_true, y_prob) == pytest.approx(
        0.75 * (0.9 - 2 / 3) + 0.25 * 0.4
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_loss_of_a_certain_mistake_is_finite_as_in_scikit_learn(dtype: type) -> None:
    y_true = np.array([0, 1, 1])
    y_prob: FloatArray = np.array([[1, 0], [1, 0], [0.5, 0.5]], dtype)
    expected = oracle.log_loss(y_true, y_prob)
    assert math.isfinite(expected)
    assert scores.log_loss(y_true, y_prob) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("metric", [scores.log_loss, scores.brier_score, scores.roc_auc])
def test_float32_gives_the_float64_value(
    metric: Callable[[IntArray, FloatArray], float],
) -> None:
    rng = np.random.default_rng(1)
    y_true, y_prob = rng.integers(3, size=50), rng.dirichlet(np.ones(3), 50)
    assert metric(y_true, y_prob.astype(np.float32)) == pytest.approx(
        metric(y_true, y_prob), rel=1e-5
    )


def test_metrics_without_a_meaning_are_nan() -> None:
    zeros, ones = np.zeros(3, np.int64), np.ones(3, np.int64)
    certain = np.eye(2)[zeros]
    assert math.isnan(scores.precision(zeros, zeros, positive=1))
    assert math.isnan(scores.recall(zeros, ones, positive=1))
    assert math.isnan(scores.f1(zeros, zeros, positive=1))
    assert math.isnan(scores.roc_auc(zeros, certain))
    assert math.isnan(scores.matthews_correlation(zeros, ones))
    assert math.isnan(scores.average_precision(zeros, certain, positive=1))


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        pytest.param(None, [0, 0, 1], id="none takes the most probable, the first of equals"),
        pytest.param(0.5, [0, 1, 1], id="a probability at the threshold is positive"),
        pytest.param(0.8, [0, 0, 0], id="above all"),
        pytest.param(0.0, [1, 1, 1], id="zero calls everything positive"),
    ],
)
def test_threshold_decides(threshold: float | None, expected: list[int]) -> None:
    y_prob = np.array([[0.9, 0.1], [0.5, 0.5], [0.3, 0.7]])
    assert scores.predicted_classes(y_prob, positive=1, threshold=threshold).tolist() == expected


def test_threshold_is_on_the_positive_class() -> None:
    y_prob = np.array([[0.9, 0.1], [0.3, 0.7]])
    assert scores.predicted_classes(y_prob, positive=0, threshold=0.2).tolist() == [0, 0]


def test_threshold_needs_two_classes() -> None:
    with pytest.raises(ValueError, match="needs two classes, not 3"):
        scores.predicted_classes(np.eye(3), positive=0, threshold=0.5)


@pytest.mark.parametrize("n_labels", [0, 2])
@pytest.mark.parametrize(
    "metric",
    [
        scores.roc_auc,
        scores.log_loss,
        scores.brier_score,
        scores.expected_calibration_error,
        lambda y, p: scores.average_precision(y, p, positive=0),
        lambda y, p: scores.accuracy(y, p.argmax(axis=1)),
        lambda y, p: scores.precision(y, p.argmax(axis=1), positive=0),
        lambda y, p: scores.recall(y, p.argmax(axis=1), positive=0),
        lambda y, p: scores.f1(y, p.argmax(axis=1), positive=0),
        lambda y, p: scores.macro_precision(y, p.argmax(axis=1)),
        lambda y, p: scores.macro_recall(y, p.argmax(axis=1)),
        lambda y, p: scores.macro_f1(y, p.argmax(axis=1)),
    ],
)
def test_no_images_or_unequal_lengths_are_refused(
    metric: Callable[[IntArray, FloatArray], float], n_labels: int
) -> None:
    y_prob = np.full((n_labels // 2, 2), 0.5)
    with pytest.raises(ValueError, match="images, class codes of"):
        metric(np.zeros(n_labels, np.int64), y_prob)
