import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from apple_clf.config import parse_experiment
from apple_clf.config.schema import TrainingConfig
from apple_clf.model.backend import keras, tf
from apple_clf.training.optimizers import build_loss, build_optimizer

EPOCHS, PER_EPOCH = 4, 5


def settings(text: str) -> TrainingConfig:
    source = f"training: {{epochs: {EPOCHS}, {text}}}"
    return parse_experiment(source, filename="test.yaml").training


def walk(optimizer: Any) -> list[float]:
    """Where five steps of gradients of very different sizes lead."""
    variables = [keras.Variable([1.0, -2.0]), keras.Variable([[0.5, 1.0], [-1.0, 0.2]])]
    optimizer.build(variables)
    for step in range(5):
        gradients = [tf.constant([10.0**step, -1.0]), tf.constant([[0.1, -3.0], [step, 0.4]])]
        optimizer.apply(gradients, variables)
    return [value for variable in variables for value in variable.numpy().ravel().tolist()]


OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "muon": lambda: keras.optimizers.Muon(0.1),
    "{type: muon, momentum: 0.5, nesterov: false, ns_steps: 2, weight_decay: 0.2}": lambda: (
        keras.optimizers.Muon(0.1, momentum=0.5, nesterov=False, ns_steps=2, weight_decay=0.2)
    ),
    "{type: muon, adam_beta_1: 0.5, adam_beta_2: 0.6, epsilon: 0.1}": lambda: keras.optimizers.Muon(
        0.1, adam_beta_1=0.5, adam_beta_2=0.6, epsilon=0.1
    ),
    "lion": lambda: keras.optimizers.Lion(0.1),
    "{type: lion, beta_1: 0.5, beta_2: 0.6, weight_decay: 0.1}": lambda: keras.optimizers.Lion(
        0.1, beta_1=0.5, beta_2=0.6, weight_decay=0.1
    ),
    "adagrad": lambda: keras.optimizers.Adagrad(0.1),
    "{type: adagrad, initial_accumulator_value: 0.5, epsilon: 0.1}": lambda: (
        keras.optimizers.Adagrad(0.1, initial_accumulator_value=0.5, epsilon=0.1)
    ),
    "nadam": lambda: keras.optimizers.Nadam(0.1),
    "{type: nadam, beta_1: 0.5, beta_2: 0.6, epsilon: 0.1}": lambda: keras.optimizers.Nadam(
        0.1, beta_1=0.5, beta_2=0.6, epsilon=0.1
    ),
    "sgd": lambda: keras.optimizers.SGD(0.1),
    "{type: sgd, momentum: 0.5, nesterov: true}": lambda: keras.optimizers.SGD(
        0.1, momentum=0.5, nesterov=True
    ),
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "{type: momentum, clipnorm: 2}": lambda: keras.optimizers.SGD(0.1, momentum=0.9, clipnorm=2),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.1),
    "{type: rmsprop, rho: 0.5, momentum: 0.3, epsilon: 0.1, centered: true}": lambda: (
        keras.optimizers.RMSprop(0.1, rho=0.5, momentum=0.3, epsilon=0.1, centered=True)
    ),
    "adam": lambda: keras.optimizers.Adam(0.1),
    "{type: adam, beta_1: 0.5, beta_2: 0.6, epsilon: 0.1, amsgrad: true, clipvalue: 3}": lambda: (
        keras.optimizers.Adam(0.1, beta_1=0.5, beta_2=0.6, epsilon=0.1, amsgrad=True, clipvalue=3)
    ),
    "adamw": lambda: keras.optimizers.AdamW(0.1, weight_decay=0.004),
    "{type: adamw, weight_decay: 0.5, global_clipnorm: 1}": lambda: keras.optimizers.AdamW(
        0.1, weight_decay=0.5, global_clipnorm=1
    ),
}


def test_muon_leaves_the_output_layer_to_adamw() -> None:
    output, hidden = (keras.layers.Dense(2, name=name) for name in ("output", "dense_1"))
    for layer in (output, hidden):
        layer.build((None, 3))
    optimizer = build_optimizer(settings("optimizer: muon"), steps_per_epoch=PER_EPOCH)
    optimizer.build([*output.trainable_weights, *hidden.trainable_weights])
    has_velocity = [velocity is not None for velocity in optimizer.adam_velocities]
    assert has_velocity == [True, True, False, True]  # kernel and bias of each


@pytest.mark.parametrize("text", OPTIMIZERS)
def test_optimizer_steps_as_the_one_of_keras_does(text: str) -> None:
    config = settings(f"learning_rate: 0.1, optimizer: {text}")
    ours = walk(build_optimizer(config, steps_per_epoch=PER_EPOCH))
    # Fused Adam takes its sums in another order.
    assert ours == pytest.approx(walk(OPTIMIZERS[text]()), rel=3e-5, abs=1e-5)


def test_the_optimizers_compared_all_step_differently() -> None:
    ends = {tuple(round(value, 5) for value in walk(build())) for build in OPTIMIZERS.values()}
    assert len(ends) == len(OPTIMIZERS)


def cosine(share: float) -> float:
    return (1 + math.cos(math.pi * share)) / 2


N_STEPS = EPOCHS * PER_EPOCH
SCHEDULES: dict[str, Callable[[int], float]] = {
    "{type: cosine, initial: 0.4}": lambda step: 0.4 * cosine(step / N_STEPS),
    "{type: cosine, initial: 0.4, final_fraction: 0.25}": lambda step: (
        0.4 * (0.25 + 0.75 * cosine(step / N_STEPS))
    ),
    "{type: cosine, initial: 0.4, warmup_epochs: 1}": lambda step: (
        0.4 * step / PER_EPOCH
        if step < PER_EPOCH
        else 0.4 * cosine((step - PER_EPOCH) / (N_STEPS - PER_EPOCH))
    ),
    "{type: exponential, initial: 0.4, decay_rate: 0.5, decay_epochs: 2}": lambda step: (
        0.4 * 0.5 ** (step / (2 * PER_EPOCH))
    ),
    "{type: piecewise_constant, boundaries: [1, 3], values: [0.3, 0.2, 0.1]}": lambda step: (
        0.3 if step < PER_EPOCH else 0.2 if step < 3 * PER_EPOCH else 0.1
    ),
    "{type: polynomial, initial: 0.4, final: 0.1, power: 2}": lambda step: (
        0.1 + 0.3 * (1 - step / N_STEPS) ** 2
    ),
}


@pytest.mark.parametrize("text", SCHEDULES)
def test_schedule_follows_its_formula_at_every_step(text: str) -> None:
    config = settings(f"learning_rate: {text}, optimizer: sgd")
    optimizer = build_optimizer(config, steps_per_epoch=PER_EPOCH)
    weight = tf.Variable(0.0)
    optimizer.build([weight])
    rates = []
    for _ in range(N_STEPS):
        before = float(weight.numpy())
        optimizer.apply([tf.constant(-1.0)], [weight])
        rates.append(float(weight.numpy()) - before)
    expected = [SCHEDULES[text](step) for step in range(N_STEPS)]
    np.testing.assert_allclose(rates, expected, atol=1e-5)


Y_PROB = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], np.float32)
CODES = np.array([0, 1])
LOSSES = {
    "sparse_categorical_crossentropy": -np.log([0.7, 0.1]),
    "categorical_crossentropy": -np.log([0.7, 0.1]),
    "{type: categorical_crossentropy, label_smoothing: 0.3}": -(
        0.7 * np.log([0.7, 0.1]) + 0.1 * np.log(Y_PROB).sum(axis=1)
    ),
    "{type: categorical_focal_crossentropy, gamma: 3.0, alpha: 0.5}": (
        -0.5 * np.array([0.3, 0.9]) ** 3 * np.log([0.7, 0.1])
    ),
    "mean_squared_error": np.array([0.09 + 0.04 + 0.01, 0.01 + 0.81 + 0.64]) / 3,
}


@pytest.mark.parametrize("text", LOSSES)
def test_loss_follows_its_formula(text: str) -> None:
    config = settings(f"loss: {text}").loss
    y_true = CODES if config.takes_codes else np.eye(3, dtype=np.float32)[CODES]
    loss = build_loss(config)(y_true, Y_PROB)
    assert float(loss) == pytest.approx(float(np.mean(LOSSES[text])), rel=1e-5)
