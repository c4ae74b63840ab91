"""Evaluation and verdicts: edge cases, honesty of intervals, wording."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apple_clf import metrics
from apple_clf.arrays import FloatArray, IntArray
from apple_clf.metrics import Estimate, scores
from apple_clf.metrics.catalogue import METRICS

pytestmark = pytest.mark.slow

NAMES = [
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "f1",
    "matthews_correlation",
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier_score",
    "expected_calibration_error",
]


def soft_answers(n: int, *, sharpness: float, seed: int) -> tuple[IntArray, FloatArray]:
    """Calibrated two-class answers: each label is drawn with its stated probability."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-sharpness * rng.normal(size=n)))
    return (rng.random(n) < p).astype(np.int64), np.column_stack((1 - p, p))


@st.composite
def answers(draw: st.DrawFn) -> tuple[IntArray, FloatArray, int]:
    n_classes = draw(st.integers(2, 4))
    n = draw(st.integers(1, 12))
    weight = st.lists(st.integers(0, 3), min_size=n_classes, max_size=n_classes).filter(any)
    weights = np.array(draw(st.lists(weight, min_size=n, max_size=n)), np.float32)
    labels = draw(st.lists(st.integers(0, n_classes - 1), min_size=n, max_size=n))
    y_prob = weights / weights.sum(axis=1, keepdims=True)
    return np.array(labels, np.int32), y_prob, draw(st.integers(0, n_classes - 1))


@given(answers())
@settings(deadline=None, max_examples=60)
def test_every_estimate_is_whole_or_says_why_not(example: tuple[IntArray, FloatArray, int]) -> None:
    y_true, y_prob, positive = example
    estimates = metrics.evaluate(y_true, y_prob, positive=positive)
    more = {"top_2_accuracy"} if y_prob.shape[1] > 2 else set()
    assert estimates.keys() == {*NAMES, *more}
    for name, estimate in estimates.items():
        if estimate.value is None:
            assert estimate.low is None
            assert estimate.high is None
            assert estimate.reason
        else:
            assert estimate.low is not None
            assert estimate.high is not None
            assert METRICS[name].low <= estimate.low <= estimate.high
            assert estimate.reason is None
    plain = {name: dataclasses.asdict(estimate) for name, estimate in estimates.items()}
    json.dumps(plain, allow_nan=False)  # plain floats, none of them NaN


@given(answers())
@settings(deadline=None, max_examples=60)
def test_estimates_are_the_point_metrics(example: tuple[IntArray, FloatArray, int]) -> None:
    y_true, y_prob, positive = example
    y_pred = metrics.predicted_classes(y_prob)
    expected = {
        "accuracy": metrics.accuracy(y_true, y_pred),
        "precision": metrics.precision(y_true, y_pred, positive=positive),
        "recall": metrics.recall(y_true, y_pred, positive=positive),
        "f1": metrics.f1(y_true, y_pred, positive=positive),
        "roc_auc": metrics.roc_auc(y_true, y_prob),
        "average_precision": metrics.average_precision(y_true, y_prob, positive=positive),
        "log_loss": metrics.log_loss(y_true, y_prob),
        "brier_score": metrics.brier_score(y_true, y_prob),
        "expected_calibration_error": metrics.expected_calibration_error(y_true, y_prob),
    }
    if y_prob.shape[1] > 2:
        expected["top_2_accuracy"] = scores.top_2_accuracy(y_true, y_prob)
    if np.unique(y_true).size > 1:
        expected["balanced_accuracy"] = metrics.balanced_accuracy(y_true, y_pred)
        expected["matthews_correlation"] = scores.matthews_correlation(y_true, y_pred)
    estimates = metrics.evaluate(y_true, y_prob, positive=positive)
    for name, value in expected.items():
        found = estimates[name].value
        if found is None:
            assert np.isnan(value)
        else:
            assert found == pytest.approx(value, abs=1e-9)


def test_one_class_alone_has_no_area_and_no_balanced_accuracy() -> None:
    estimates = metrics.evaluate(np.zeros(4, np.int64), np.full((4, 2), 0.5), positive=1)
    undefined = {name for name, estimate in estimates.items() if estimate.value is None}
    assert undefined == {"balanced_accuracy", "precision", "recall", "f1", "roc_auc"} | {
        "matthews_correlation",
        "average_precision",
    }
    assert estimates["roc_auc"].reason == "only one class is present"


def test_a_tiny_flawless_test_set_does_not_look_certain() -> None:
    y_true = np.array([0, 1])
    estimates = metrics.evaluate(y_true, np.eye(2)[y_true], positive=1)
    for name in NAMES[:8]:
        estimate = estimates[name]
        assert estimate.value == 1
        assert estimate.low is not None
        assert estimate.low < 0.5


def test_threshold_moves_decisions_but_not_ranking() -> None:
    y_true, y_prob = soft_answers(200, sharpness=2, seed=0)
    low = metrics.evaluate(y_true, y_prob, positive=1, threshold=0.1)
    high = metrics.evaluate(y_true, y_prob, positive=1, threshold=0.9)
    assert low["recall"].value is not None
    assert high["recall"].value is not None
    assert low["recall"].value > high["recall"].value
    assert low["roc_auc"] == high["roc_auc"]
    assert low["log_loss"] == high["log_loss"]


def test_evaluation_repeats_with_its_seed() -> None:
    y_true, y_prob = soft_answers(60, sharpness=2, seed=0)
    first = metrics.evaluate(y_true, y_prob, positive=1, seed=3)
    assert first == metrics.evaluate(y_true, y_prob, positive=1, seed=3)
    assert first != metrics.evaluate(y_true, y_prob, positive=1, seed=4)


def test_intervals_cover_what_is_true() -> None:
    """Calibrated answers: the calibration error is 0; the rest is known from a large sample."""
    names = ("average_precision", "f1", "matthews_correlation", "log_loss", "brier_score")
    many = metrics.evaluate(*soft_answers(200_000, sharpness=2, seed=1), positive=1)
    truth = {name: many[name].value for name in names} | {"expected_calibration_error": 0.0}
    runs = 120
    covered = dict.fromkeys(truth, 0)
    for seed in range(runs):
        estimates = metrics.evaluate(*soft_answers(150, sharpness=2, seed=seed + 9), positive=1)
        for name, value in truth.items():
            low, high = estimates[name].low, estimates[name].high
            assert low is not None
            assert high is not None
            assert value is not None
            covered[name] += low <= value <= high
    assert all(count >= 0.88 * runs for count in covered.values()), covered


def test_miscalibration_is_told_from_chance() -> None:
    y_true, _ = soft_answers(400, sharpness=0, seed=2)  # a coin
    certain = np.tile([0.1, 0.9], (400, 1))
    estimate = metrics.evaluate(y_true, certain, positive=1)["expected_calibration_error"]
    assert estimate.low is not None
    assert estimate.low > 0.3


@pytest.mark.parametrize(
    ("y_true", "y_prob", "positive", "message"),
    [
        pytest.param([], np.zeros((0, 2)), 0, "no images", id="no images"),
        pytest.param([0], np.ones((1, 1)), 0, "must be", id="one class"),
        pytest.param([0], np.array([0.5]), 0, "must be", id="not a table"),
        pytest.param([0, 1], np.full((1, 2), 0.5), 0, "must be", id="lengths differ"),
        pytest.param([2], np.full((1, 2), 0.5), 0, "codes must be 0 to 1", id="code too high"),
        pytest.param([-1], np.full((1, 2), 0.5), 0, "codes must be 0 to 1", id="code below 0"),
        pytest.param([0], np.full((1, 2), 0.5), 2, "codes must be 0 to 1", id="positive"),
        pytest.param([0], np.array([[np.nan, 1]]), 0, "from 0 to 1", id="NaN"),
        pytest.param([0], np.array([[-0.1, 1.1]]), 0, "from 0 to 1", id="out of range"),
    ],
)
def test_arguments_that_cannot_be_evaluated_are_refused(
    y_true: list[int], y_prob: FloatArray, positive: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        metrics.evaluate(np.array(y_true, np.int64), y_prob, positive=positive)


@pytest.mark.parametrize(
    ("estimate", "n_classes", "sentence"),
    [
        (
            Estimate(0.51, 0.46, 0.56, "wilson"),
            2,
            "no better than guessing: balanced accuracy 0.51, "
            "95 % interval 0.46 to 0.56, covers 0.50",
        ),
        (
            Estimate(0.94, 0.92, 0.95, "wilson"),
            2,
            "better than guessing (0.50): balanced accuracy 0.94, 95 % interval 0.92 to 0.95",
        ),
        (
            Estimate(0.46, 0.42, 0.49, "wilson"),
            3,
            "better than guessing (0.33): balanced accuracy 0.46, 95 % interval 0.42 to 0.49",
        ),
        (
            Estimate(0.10, 0.05, 0.20, "wilson"),
            2,
            "worse than guessing (0.50), as if labels were swapped: "
            "balanced accuracy 0.10, 95 % interval 0.05 to 0.20",
        ),
        (
            Estimate(None, None, None, "none", "only one class is present"),
            2,
            "cannot be told from guessing: only one class is present",
        ),
    ],
    ids=["covers chance", "above chance", "three classes", "below chance", "undefined"],
)
def test_verdict(estimate: Estimate, n_classes: int, sentence: str) -> None:
    assert metrics.verdict(estimate, n_classes=n_classes) == sentence


@pytest.mark.parametrize(
    ("training", "held_out", "sentence"),
    [
        (
            0.95,
            Estimate(0.50, 0.45, 0.55, "wilson"),
            "it memorised its training images: "
            "0.95 on them, 0.50 on new ones, no better than guessing",
        ),
        (
            0.99,
            Estimate(0.80, 0.75, 0.85, "wilson"),
            "it partly memorised its training images: 0.99 on them, 0.80 on new ones",
        ),
        (0.95, Estimate(0.93, 0.90, 0.94, "wilson"), None),
        (0.55, Estimate(0.50, 0.45, 0.52, "wilson"), None),
        (1.00, Estimate(0.75, 0.30, 1.00, "wilson"), None),
        (1.00, Estimate(None, None, None, "none", "only one class is present"), None),
    ],
    ids=["memorised", "partly", "small gap", "learned nothing", "too few images", "undefined"],
)
def test_memorisation(training: float, held_out: Estimate, sentence: str | None) -> None:
    assert metrics.memorisation(training, held_out, n_classes=2) == sentence


def test_metrics_need_numpy_only() -> None:
    heavy = "{'scipy', 'sklearn', 'matplotlib', 'pandas', 'tensorflow', 'PIL', 'pydantic'}"
    code = f"import sys, apple_clf.metrics; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
