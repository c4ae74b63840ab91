"""TrainingConfig + model + images -> trained model, and how it went.

An epoch is one step of `EpochModel`; around it stand Keras's own `fit`, callbacks and optimizers.
The order of the images depends on (seed, epoch) alone.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from apple_clf.config.schema import TrainingConfig
from apple_clf.data import Split
from apple_clf.model.backend import keras, memory_told, tf
from apple_clf.runs.checkpoints import CHECKPOINT_SECONDS, Checkpoints
from apple_clf.runs.layer_statistics import LayerStatistics, WeightSnapshots
from apple_clf.training.callbacks import EarlyStopping, History, Keeper, OnEpoch, Recorder
from apple_clf.training.epoch_model import EpochModel
from apple_clf.training.statistics import Statistics
from apple_clf.training.trainers import Trainers


@dataclass(frozen=True)
class Training:
    """How a training went; the model holds the weights of `best_epoch`."""

    history: History
    statistics: LayerStatistics
    snapshots: WeightSnapshots
    best_epoch: int  # from 1, the last one without early stopping; 0 is the untrained model
    stopped_early: bool
    diverged: bool  # NaN or infinity in the epoch after the last one of the history
    interrupted: bool = False  # asked to stop before the end; a checkpoint holds the rest


@memory_told()
def fit(
    model: keras.Model,
    config: TrainingConfig,
    *,
    train: Split,
    validation: Split,
    class_names: Sequence[str],
    seed: int,
    on_epoch: OnEpoch = lambda epoch, logs: None,
    checkpoints: Checkpoints | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    should_stop: Callable[[], bool] = lambda: False,
    trainers: Trainers | None = None,
) -> Training:
    """Trains a model in place and returns how it went.

    From a checkpoint it goes on where that was written, and comes to the same bytes as if it had
    never stopped.

    Args:
        model: as from `build_model`.
        config: optimizer, loss, epochs, batch size and so on.
        train: n images.
        validation: may be empty; then there are no val_ values.
        class_names: in the order of the codes.
        seed: orders the images of each epoch; the weights were drawn before.
        on_epoch: called after each epoch, counted from 1, with the epoch's values.
        checkpoints: where to go on from, and to keep what a later process needs to go on.
        checkpoint_seconds: between two checkpoints; one more is written at the end.
        should_stop: asked after each epoch; if it says so, a checkpoint is written and the
            training is interrupted.
        trainers: where something compiled by an earlier training may be used again.

    Raises:
        FileSystemError: a checkpoint cannot be written.
        MemoryLimitError: the network or a batch does not fit into memory.
    """
    trainer = (trainers or Trainers()).get(model, config, train, validation, class_names)
    recorder = Recorder(
        n_images=len(train),
        image_bytes=math.prod(train.images.shape[1:]),
        seed=seed,
        on_epoch=on_epoch,
    )
    statistics = Statistics(trainer.probe, diverged=lambda: recorder.diverged)
    stopping, plateau = _early_stopping(config, recorder), _plateau(config)
    keeper = Keeper(
        [*stopping, *plateau],
        recorder,
        statistics,
        checkpoints=checkpoints,
        seconds=checkpoint_seconds,
        should_stop=should_stop,
    )
    state = keeper.restore(trainer.epochs)
    _run_epochs(
        trainer.epochs,
        initial_epoch=state.epoch if state else 0,
        epochs=state.epoch if state and state.ended else config.epochs,
        validates=len(validation) > 0,
        callbacks=[recorder, statistics, *stopping, *plateau, keeper],
    )
    trainer.hand_over(model)
    n_epochs = len(recorder.history["loss"])
    return Training(
        recorder.history,
        statistics.table,
        statistics.snapshots,
        best_epoch=stopping[0].best_epoch + 1 if stopping and n_epochs else n_epochs,
        stopped_early=not recorder.diverged and n_epochs < config.epochs,
        diverged=recorder.diverged,
        interrupted=keeper.interrupted,
    )


def _run_epochs(
    trainer: EpochModel,
    *,
    initial_epoch: int,
    epochs: int,
    validates: bool,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    """Keras's fit with an epoch as its only step."""
    one_step = tf.data.Dataset.from_tensors(0)
    trainer.fit(
        one_step.repeat(),
        initial_epoch=initial_epoch,
        epochs=epochs,
        steps_per_epoch=1,
        validation_data=one_step if validates else None,
        callbacks=callbacks,
        shuffle=False,
        verbose=0,
    )


def _early_stopping(config: TrainingConfig, recorder: Recorder) -> list[EarlyStopping]:
    if config.early_stopping is None:
        return []
    return [EarlyStopping(recorder, **config.early_stopping.model_dump())]


def _plateau(config: TrainingConfig) -> list[Any]:
    if config.reduce_on_plateau is None:
        return []
    arguments = config.reduce_on_plateau.model_dump()
    min_lr = arguments.pop("min_learning_rate")
    return [keras.callbacks.ReduceLROnPlateau(**arguments, min_lr=min_lr)]
