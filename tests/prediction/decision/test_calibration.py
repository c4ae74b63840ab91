import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from scipy.special import softmax as scipy_softmax

from apple_clf.arrays import FloatArray, IntArray
from apple_clf.metrics.scores import expected_calibration_error
from apple_clf.prediction.decision.calibration import (
    MAX_TEMPERATURE,
    MIN_TEMPERATURE,
    fit_temperature,
    softened,
    softmax,
)


def draw(n: int, n_classes: int, *, temperature: float, seed: int) -> tuple[FloatArray, IntArray]:
    """Logits, and labels that are right as often as the logits say at a temperature."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=3 * temperature, size=(n, n_classes))
    y_prob = softmax(logits, temperature=temperature)
    return logits, (rng.random((n, 1)) > y_prob.cumsum(axis=1)[:, :-1]).sum(axis=1)


@given(
    st.lists(st.lists(st.floats(-1e4, 1e4), min_size=3, max_size=3), max_size=4),
    st.floats(MIN_TEMPERATURE, MAX_TEMPERATURE),
)
def test_softmax_agrees_with_scipy(rows: list[list[float]], temperature: float) -> None:
    logits = np.array(rows).reshape(-1, 3)
    expected = scipy_softmax(logits / temperature, axis=1) if rows else logits
    np.testing.assert_allclose(softmax(logits, temperature=temperature), expected, atol=1e-12)


def test_softmax_of_huge_logits_is_finite() -> None:
    huge = np.array([[3e38, -3e38], [3e38, 3e38]], np.float32)
    np.testing.assert_array_equal(softmax(huge, temperature=0.05), [[1, 0], [0.5, 0.5]])


@pytest.mark.parametrize("n_classes", [2, 7])
@pytest.mark.parametrize("true", [0.4, 1.0, 3.0])
def test_temperature_is_the_minimum_that_scipy_finds(n_classes: int, true: float) -> None:
    logits, y_true = draw(400, n_classes, temperature=true, seed=n_classes)
    targets = softened(y_true, n_classes=n_classes)
    oracle = minimize_scalar(
        lambda inverse: -np.sum(targets * log_softmax(logits * inverse, axis=1)),
        bounds=(1 / MAX_TEMPERATURE, 1 / MIN_TEMPERATURE),
        options={"xatol": 1e-12},
    )
    assert fit_temperature(logits, y_true) == pytest.approx(1 / oracle.x, rel=1e-5)


@pytest.mark.parametrize("true", [0.5, 1.0, 4.0])
def test_temperature_that_the_labels_were_drawn_with_is_found_again(true: float) -> None:
    logits, y_true = draw(20_000, 3, temperature=true, seed=1)
    found = fit_temperature(logits, y_true)
    assert found == pytest.approx(true, rel=0.04)
    fresh, labels = draw(20_000, 3, temperature=true, seed=2)
    assert expected_calibration_error(labels, softmax(fresh, temperature=found)) < 0.01


def test_few_images_without_a_mistake_do_not_make_the_model_certain() -> None:
    y_true = np.arange(20) % 2
    logits = np.where(np.eye(2)[y_true] == 1, 1.0, -1.0)
    confidence = softmax(logits, temperature=fit_temperature(logits, y_true)).max(axis=1)
    np.testing.assert_allclose(confidence, 1 - 0.5 / 21, rtol=1e-6)  # 20 of 20, softened


@pytest.mark.parametrize(
    ("logits", "limit"),
    [
        pytest.param(np.array([[1e-9, 0], [0, 1e-9]]), MIN_TEMPERATURE, id="too_weak"),
        pytest.param(np.array([[0, 1e9], [1e9, 0]]), MAX_TEMPERATURE, id="all_wrong"),
    ],
)
def test_temperature_stays_in_its_range(logits: FloatArray, limit: float) -> None:
    assert fit_temperature(logits, np.array([0, 1])) == pytest.approx(limit, rel=1e-9)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_targets_are_probabilities_that_favour_the_label(labels: list[int]) -> None:
    targets = softened(np.array(labels), n_classes=4)
    np.testing.assert_allclose(targets.sum(axis=1), 1)
    assert (targets > 0).all()
    picked = targets[np.arange(len(labels)), labels]
    np.testing.assert_allclose(picked, 1 - 0.5 / (len(labels) + 1))
