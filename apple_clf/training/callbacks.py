"""Keras callbacks: each epoch's order and record, early stopping, and checkpoints."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from apple_clf.model.backend import keras
from apple_clf.runs.checkpoints import Checkpoints, State
from apple_clf.training.epoch_model import EpochModel
from apple_clf.training.epoch_order import epoch_order
from apple_clf.training.statistics import Statistics

History = dict[str, list[float]]
"""By name a list with a value per epoch; the learning rate is that of the epoch's last step."""

HISTORY_NAMES = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")

OnEpoch = Callable[[int, Mapping[str, float]], None]


class Recorder(keras.callbacks.Callback):
    """Orders each epoch's images, records its values, and stops at NaN or infinity."""

    def __init__(self, *, n_images: int, image_bytes: int, seed: int, on_epoch: OnEpoch) -> None:
        super().__init__()
        self.n_images = n_images
        self.image_bytes = image_bytes
        self.seed = seed
        self.report = on_epoch
        self.history: History = {"loss": []}
        self.diverged = False

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        self.finite_weights = self.model.get_weights()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        order = epoch_order(
            self.n_images, image_bytes=self.image_bytes, seed=self.seed, epoch=epoch
        )
        self.model.order.assign(order.astype(np.int32))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        values = {name: _shortest(value) for name, value in (logs or {}).items()}
        weights = self.model.get_weights()
        if not all(map(np.isfinite, values.values())) or not all(
            np.isfinite(array).all() for array in weights
        ):
            self.diverged = True
            self.model.stop_training = True
            return
        self.finite_weights = weights
        values["learning_rate"] = _shortest(_last_rate(self.model.optimizer))
        for name in HISTORY_NAMES:
            if name in values:
                self.history.setdefault(name, []).append(values[name])
        self.report(epoch + 1, values)

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        if self.diverged:
            self.model.set_weights(self.finite_weights)


def _shortest(value: Any) -> float:
    """The shortest decimal that is the same float32: 0.65, not 0.6499999761581421."""
    return float(str(np.float32(value)))


def _last_rate(optimizer: keras.Optimizer) -> Any:
    """The learning rate of the step just taken; `optimizer.learning_rate` is the next step's."""
    schedule = optimizer._learning_rate
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        return schedule(optimizer.iterations - 1)
    return schedule


class Keeper(keras.callbacks.Callback):
    """Writes checkpoints after the other callbacks are done with an epoch, and restores them."""

    COUNTERS = ("wait", "best", "best_epoch", "stopped_epoch", "cooldown_counter")

    def __init__(
        self,
        callbacks: Sequence[keras.callbacks.Callback],
        recorder: Recorder,
        statistics: Statistics,
        *,
        checkpoints: Checkpoints | None,
        seconds: float,
        should_stop: Callable[[], bool],
    ) -> None:
        super().__init__()
        self.callbacks = callbacks
        self.recorder = recorder
        self.statistics = statistics
        self.checkpoints = checkpoints
        self.seconds = seconds
        self.should_stop = should_stop
        self.interrupted = False
        self.state: State | None = None
        self.written = time.monotonic()

    def restore(self, trainer: EpochModel) -> State | None:
        """The state to go on from, put into the trainer and the history, or None."""
        self.state = state = self.checkpoints.latest() if self.checkpoints else None
        if state is not None:
            for variables, values in (
                (trainer.variables, state.variables),
                (trainer.optimizer.variables, state.optimizer),
            ):
                for variable, value in zip(variables, values, strict=True):
                    variable.assign(value)
            self.recorder.history = state.history
            self.statistics.restore(state.statistics)
        return state

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        if self.state is None:
            return
        for callback in self.callbacks:  # Keras has just reset them
            for name, value in self.state.callbacks[type(callback).__name__].items():
                setattr(callback, name, value)
            if isinstance(callback, EarlyStopping):
                callback.best_weights = self.state.best_weights or None

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        if self.recorder.diverged or self.checkpoints is None:
            return
        ended = self.model.stop_training or epoch + 1 == self.params["epochs"]
        self.interrupted = not ended and self.should_stop()
        if ended or self.interrupted or time.monotonic() - self.written >= self.seconds:
            self.checkpoints.write(self._capture(epoch + 1, ended=ended))
            self.written = time.monotonic()
        if self.interrupted:
            self.model.stop_training = True

    def _capture(self, epoch: int, *, ended: bool) -> State:
        best = [c.best_weights for c in self.callbacks if isinstance(c, EarlyStopping)]
        return State(
            epoch=epoch,
            ended=ended,
            history=self.recorder.history,
            callbacks={
                type(callback).__name__: {
                    name: value for name, value in vars(callback).items() if name in self.COUNTERS
                }
                for callback in self.callbacks
            },
            variables=[variable.numpy() for variable in self.model.variables],
            optimizer=[variable.numpy() for variable in self.model.optimizer.variables],
            best_weights=best[0] or [] if best else [],
            statistics=self.statistics.arrays(),
        )


class EarlyStopping(keras.callbacks.EarlyStopping):
    """Keras's, but blind to an epoch that diverged: its loss may be the best, its weights NaN."""

    def __init__(self, recorder: Recorder, **arguments: Any) -> None:
        super().__init__(**arguments, mode="auto", restore_best_weights=True)
        self.recorder = recorder

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        if not self.recorder.diverged:
            super().on_epoch_end(epoch, logs)
