"""Optimizers, learning-rate schedules and losses of an experiment as Keras objects."""

from typing import Any

from apple_clf.config.schema import (
    Adam,
    AdamW,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CosineSchedule,
    ExponentialSchedule,
    Loss,
    MeanSquaredError,
    PiecewiseConstantSchedule,
    PolynomialSchedule,
    Schedule,
    SparseCategoricalCrossentropy,
    TrainingConfig,
)
from apple_clf.model.backend import keras
from apple_clf.training.fused_adam import FusedAdam, FusedAdamW


def build_optimizer(config: TrainingConfig, *, steps_per_epoch: int) -> keras.Optimizer:
    """The Keras optimizer of an experiment, with its learning rate or schedule."""
    rate: Any = config.learning_rate
    if not isinstance(rate, float):
        rate = _schedule(rate, n_steps=config.epochs * steps_per_epoch, per_epoch=steps_per_epoch)
    arguments = config.optimizer.keras_arguments()
    match config.optimizer:
        case AdamW(amsgrad=False):
            kind = FusedAdamW
        case Adam(amsgrad=False):
            kind = FusedAdam
        case _:
            kind = getattr(keras.optimizers, config.optimizer.keras_class)
    return kind(rate, **arguments)


def _schedule(config: Schedule, *, n_steps: int, per_epoch: int) -> Any:
    """A schedule in optimizer steps; an experiment counts in epochs."""
    schedules = keras.optimizers.schedules
    match config:
        case CosineSchedule(warmup_epochs=0):
            return schedules.CosineDecay(config.initial, n_steps, alpha=config.final_fraction)
        case CosineSchedule():
            warmup = config.warmup_epochs * per_epoch
            return schedules.CosineDecay(
                0.0,
                max(1, n_steps - warmup),
                alpha=config.final_fraction,
                warmup_target=config.initial,
                warmup_steps=warmup,
            )
        case ExponentialSchedule():
            return schedules.ExponentialDecay(
                config.initial, config.decay_epochs * per_epoch, config.decay_rate
            )
        case PiecewiseConstantSchedule():
            # Keras changes the rate one step past a boundary.
            boundaries = [epochs * per_epoch - 1 for epochs in config.boundaries]
            return schedules.PiecewiseConstantDecay(boundaries, list(config.values))
        case PolynomialSchedule():
            return schedules.PolynomialDecay(
                config.initial, n_steps, config.final, power=config.power
            )


def build_loss(config: Loss) -> keras.Loss:
    """The Keras loss of an experiment."""
    arguments = config.model_dump(exclude={"type"})
    match config:
        case SparseCategoricalCrossentropy():
            return keras.losses.SparseCategoricalCrossentropy()
        case CategoricalCrossentropy():
            return keras.losses.CategoricalCrossentropy(**arguments)
        case CategoricalFocalCrossentropy():
            return keras.losses.CategoricalFocalCrossentropy(**arguments)
        case MeanSquaredError():
            return keras.losses.MeanSquaredError()


def takes_codes(config: Loss) -> bool:
    """Whether a loss compares with class codes; the others compare with one-hot rows."""
    return isinstance(config, SparseCategoricalCrossentropy)
