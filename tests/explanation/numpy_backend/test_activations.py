from typing import get_args

import numpy as np
import pytest

from apple_clf.config.schema.layers import ActivationName
from apple_clf.explanation.numpy_backend import activations
from apple_clf.model.backend import keras, tf

Z = np.random.default_rng(0).normal(scale=2, size=(20, 7)).astype(np.float32)


def test_every_activation_of_an_experiment_is_here() -> None:
    assert frozenset(get_args(ActivationName)) == activations.NAMES


@pytest.mark.parametrize("name", sorted(activations.NAMES))
def test_values_are_those_of_keras(name: str) -> None:
    theirs = np.asarray(keras.activations.get(name)(tf.constant(Z)))
    np.testing.assert_allclose(activations.forward(name, Z), theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", sorted(activations.NAMES))
def test_gradients_are_those_of_tensorflow(name: str) -> None:
    gradient = np.random.default_rng(1).normal(size=Z.shape).astype(np.float32)
    z = tf.constant(Z)
    with tf.GradientTape() as tape:
        tape.watch(z)
        total = tf.reduce_sum(keras.activations.get(name)(z) * gradient)
    theirs = tape.gradient(total, z).numpy()
    ours = activations.backward(name, Z, gradient)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
    assert ours.dtype == np.float32


@pytest.mark.parametrize("name", sorted(activations.NAMES))
def test_large_sums_are_no_warning_and_no_nan(name: str) -> None:
    z = np.array([[-200.0, 0.0, 80.0]], np.float32)
    assert not np.isnan(activations.forward(name, z)).any()
