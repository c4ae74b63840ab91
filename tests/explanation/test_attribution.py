from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apple_clf.arrays import FloatArray
from apple_clf.explanation.attribution import (
    FIRST_STEPS,
    MAX_STEPS,
    attribute,
    integrated_gradients,
)
from apple_clf.explanation.keras_backend import Network
from apple_clf.explanation.numpy_backend.keras_network import read_keras_network
from apple_clf.model.keras_file.loading import load_keras_model
from explanation.models import MODELS, PICTURE, SHAPE, write_run

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


def test_as_many_steps_as_at_first_are_of_equal_length() -> None:
    calls = []

    def gradient(x: FloatArray) -> FloatArray:
        calls.append(x.max(axis=(1, 2, 3)) / PICTURE.max())
        return np.ones_like(x)

    found = integrated_gradients(
        PICTURE,
        class_name="apple",
        logit=lambda x: np.square(x).sum(axis=(1, 2, 3)),
        gradient=gradient,
        first_steps=4,
        max_steps=4,
    )
    assert found.n_steps == 4
    np.testing.assert_allclose(np.concatenate(calls), [0.125, 0.375, 0.625, 0.875], rtol=1e-6)


@pytest.mark.parametrize("name", ["dense", "convolutional"])
def test_backends_share_out_alike(name: str, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", MODELS[name]())
    networks = (
        Network(load_keras_model(run), n_classes=3),
        read_keras_network(run.keras_model.read_bytes()),
    )
    theirs, ours = (attribute(each, PICTURE, code=1, class_name="pear") for each in networks)
    np.testing.assert_allclose(
        ours.values, theirs.values, rtol=0, atol=1e-3 * np.abs(theirs.values).max()
    )


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
