"""Confusion matrix, ROC, precision-recall and reliability curves, against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from apple_clf.metrics import curves

scored = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=1, max_size=30)


def as_answers(rows: list[tuple[bool, int]]) -> tuple[np.ndarray, np.ndarray]:
    y_true = np.array([int(positive) for positive, _ in rows])
    score = np.array([value / 8 for _, value in rows])
    return y_true, np.column_stack((1 - score, score))


@given(scored)
@settings(deadline=None)
def test_roc_curve_agrees_with_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    y_true, y_prob = as_answers([(True, 3), (False, 5), *rows])
    found = curves.roc_curve(y_true, y_prob, positive=1)
    expected = oracle.roc_curve(y_true, y_prob[:, 1], drop_intermediate=False)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs)


@given(scored)
@settings(deadline=None)
def test_precision_recall_curve_agrees_with_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    y_true, y_prob = as_answers([(True, 3), *rows])
    found = curves.precision_recall_curve(y_true, y_prob, positive=1)
    expected = oracle.precision_recall_curve(y_true, y_prob[:, 1])
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs)


def test_rates_of_an_absent_class_are_nan() -> None:
    y_true, y_prob = as_answers([(False, 1), (False, 2)])
    assert np.isnan(curves.roc_curve(y_true, y_prob, positive=1).true_positive_rate).all()
    recall = curves.precision_recall_curve(y_true, y_prob, positive=1).recall
    assert np.isnan(recall[:-1]).all()


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
@settings(deadline=None)
def test_confusion_matrix_agrees_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    y_true, y_pred = np.array(pairs).T
    expected = oracle.confusion_matrix(y_true, y_pred, labels=np.arange(5))
    np.testing.assert_array_equal(curves.confusion_matrix(y_true, y_pred, n_classes=5), expected)


def test_confusion_matrix_does_not_overflow_small_integers() -> None:
    y_true = np.array([19], np.uint8)
    assert curves.confusion_matrix(y_true, y_true, n_classes=20)[19, 19] == 1


def test_reliability_curve_of_a_hand_example() -> None:
    y_true = np.array([0, 1, 1])
    y_prob = np.array([[0.6, 0.4], [0.7, 0.3], [0.0, 1.0]])
    curve = curves.reliability_curve(y_true, y_prob, n_bins=4)
    np.testing.assert_allclose(curve.confidence, [np.nan, np.nan, 0.65, 1.0])
    np.testing.assert_allclose(curve.accuracy, [np.nan, np.nan, 0.5, 1.0])
    assert curve.counts.tolist() == [0, 0, 2, 1]


def test_a_confidence_on_an_edge_falls_in_the_lower_bin() -> None:
    y_prob = np.array([[0.5, 0.5]])
    curve = curves.reliability_curve(np.array([0]), y_prob, n_bins=4)
    assert curve.counts.tolist() == [0, 1, 0, 0]


@given(scored)
@settings(deadline=None)
def test_placements_are_shares_of_ordered_pairs(rows: list[tuple[bool, int]]) -> None:
    y_true, y_prob = as_answers([(True, 3), (False, 5), *rows])
    score = y_prob[:, 1]
    for i, placed in enumerate(curves.placements(y_true, y_prob, positive=1)):
        others = score[y_true != y_true[i]]
        sign = 1 if y_true[i] == 1 else -1
        above = np.sign(sign * (score[i] - others))
        assert placed == pytest.approx(float(np.mean((above + 1) / 2)))
