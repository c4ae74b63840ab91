import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apple_clf.arrays import FloatArray
from apple_clf.explanation.attribution import FIRST_STEPS, MAX_STEPS, integrated_gradients
from apple_clf.explanation.keras_backend import Network
from explanation.models import MODELS, PICTURE, SHAPE

pytestmark = pytest.mark.slow

WEIGHTS = np.random.default_rng(1).normal(size=SHAPE) / 255


def test_linear_function_is_shared_out_exactly() -> None:
    found = integrated_gradients(
        PICTURE,
        class_name="apple",
        logit=lambda x: (x * WEIGHTS).sum(axis=(1, 2, 3)) + 3,
        gradient=lambda x: np.broadcast_to(WEIGHTS, x.shape),
    )
    np.testing.assert_allclose(found.values, PICTURE * WEIGHTS, atol=1e-9)
    assert found.baseline_logit == 3
    assert found.n_steps == FIRST_STEPS
    assert found.error < 1e-5


def test_square_is_shared_out_as_its_integral_says() -> None:
    """The integral of d(x^2)/dx along the way is x^2 for each pixel."""
    found = integrated_gradients(
        PICTURE,
        class_name="apple",
        logit=lambda x: np.square(x.astype(np.float64)).sum(axis=(1, 2, 3)),
        gradient=lambda x: 2 * x.astype(np.float64),
    )
    np.testing.assert_allclose(found.values, PICTURE.astype(float) ** 2, rtol=1e-5, atol=1e-3)


@settings(max_examples=30, deadline=None)
@given(at=st.floats(0.001, 0.999), slope=st.floats(1, 1000))
def test_neuron_that_switches_on_anywhere_is_found(at: float, slope: float) -> None:
    threshold = at * float(PICTURE.sum())

    def summed(x: FloatArray) -> FloatArray:
        total: FloatArray = x.astype(np.float64).sum(axis=(1, 2, 3))
        return total

    found = integrated_gradients(
        PICTURE,
        class_name="apple",
        logit=lambda x: slope * np.maximum(0, summed(x) - threshold),
        gradient=lambda x: slope * (summed(x) > threshold)[:, None, None, None] * np.ones_like(x),
    )
    assert found.error <= 0.01
    assert found.n_steps < 100


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("code", [0, 2])
def test_networks_are_shared_out_within_a_hundredth(name: str, code: int) -> None:
    network = Network(MODELS[name](), n_classes=3)
    found = integrated_gradients(
        PICTURE,
        class_name="apple",
        logit=lambda x: network.logits(x, code=code),
        gradient=lambda x: network.logit_gradients(x, code=code),
    )
    assert found.logit == pytest.approx(float(network.forward(PICTURE).logits[code]), abs=1e-5)
    assert found.error <= 0.01
    many = np.linspace(0, 1, 801)
    middles = ((many[1:] + many[:-1]) / 2)[:, None, None, None] * PICTURE
    plain = network.logit_gradients(middles, code=code).mean(axis=0) * PICTURE
    allowed = 0.02 * np.abs(plain).sum()
    assert np.abs(found.values - plain).sum() < allowed


def test_picture_that_changes_nothing_has_no_part() -> None:
    found = integrated_gradients(
        np.zeros(SHAPE, np.uint8),
        class_name="apple",
        logit=lambda x: np.full(len(x), 2.0),
        gradient=lambda x: np.ones_like(x),
    )
    assert (found.total, found.error) == (0, 0)


def test_function_that_cannot_be_shared_out_ends_and_tells_its_error() -> None:
    found = integrated_gradients(
        PICTURE,
        class_name="apple",
        logit=lambda x: x.sum(axis=(1, 2, 3)),
        gradient=np.zeros_like,
    )
    assert found.n_steps <= MAX_STEPS
    assert found.error == pytest.approx(1)
