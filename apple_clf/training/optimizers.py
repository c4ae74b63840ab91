"""Optimizers, learning-rate schedules and losses of an experiment as Keras objects."""

from typing import Any

from apple_clf.config.schema import Adam, AdamW, Loss, TrainingConfig
from apple_clf.model.backend import keras
from apple_clf.training.fused_adam import FusedAdam, FusedAdamW


def build_optimizer(config: TrainingConfig, *, steps_per_epoch: int) -> keras.Optimizer:
    """The Keras optimizer of an experiment, with its learning rate or schedule."""
    rate: Any = config.learning_rate
    if not isinstance(rate, float):
        kind = getattr(keras.optimizers.schedules, rate.keras_class)
        n_steps = config.epochs * steps_per_epoch
        rate = kind(**rate.keras_arguments(n_steps=n_steps, per_epoch=steps_per_epoch))
    arguments = config.optimizer.keras_arguments()
    match config.optimizer:
        case AdamW(amsgrad=False):
            kind = FusedAdamW
        case Adam(amsgrad=False):
            kind = FusedAdam
        case _:
            kind = getattr(keras.optimizers, config.optimizer.keras_class)
    return kind(rate, **arguments)


def build_loss(config: Loss) -> keras.Loss:
    """The Keras loss of an experiment."""
    return getattr(keras.losses, config.keras_class)(**config.keras_arguments())
