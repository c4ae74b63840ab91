"""TrainingConfig + model + images -> trained model, and how it went.

An epoch is one step of `EpochModel`; around it stand Keras's own `fit`, callbacks and optimizers.
The order of the images depends on (seed, epoch) alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apple_clf.arrays import IntArray
from apple_clf.backend import keras, tf
from apple_clf.config.schema import TrainingConfig
from apple_clf.datasets import Split
from apple_clf.training.epoch_model import EpochModel
from apple_clf.training.optimizers import build_loss, build_optimizer, takes_codes

History = dict[str, list[float]]
"""By name a list with a value per epoch; the learning rate is that of the epoch's last step."""

HISTORY_NAMES = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")

OnEpoch = Callable[[int, Mapping[str, float]], None]


@dataclass(frozen=True)
class Training:
    """How a training went; the model holds the weights of `best_epoch`."""

    history: History
    best_epoch: int  # from 1, the last one without early stopping; 0 is the untrained model
    stopped_early: bool
    diverged: bool  # NaN or infinity in the epoch after the last one of the history


def fit(
    model: keras.Model,
    config: TrainingConfig,
    *,
    train: Split,
    validation: Split,
    class_names: Sequence[str],
    seed: int,
    on_epoch: OnEpoch = lambda epoch, logs: None,
) -> Training:
    """Trains a model in place and returns how it went.

    Args:
        model: as from `build_model`.
        config: optimizer, loss, epochs, batch size and so on.
        train: n images.
        validation: may be empty; then there are no val_ values.
        class_names: in the order of the codes.
        seed: orders the images of each epoch; the weights were drawn before.
        on_epoch: called after each epoch, counted from 1, with the epoch's values.
    """
    trainer = EpochModel(inputs=model.inputs, outputs=model.outputs)
    accuracy = "SparseCategoricalAccuracy" if takes_codes(config.loss) else "CategoricalAccuracy"
    trainer.compile(
        optimizer=build_optimizer(config, steps_per_epoch=-(-len(train) // config.batch_size)),
        loss=build_loss(config.loss),
        metrics=[getattr(keras.metrics, accuracy)(name="accuracy")],
        jit_compile=False,  # XLA makes a loop of small matrix products 20 times slower on a CPU
    )
    trainer.attach(
        train,
        validation,
        batch_size=config.batch_size,
        class_weights=class_weights(config, train.labels, class_names),
        one_hot=not takes_codes(config.loss),
    )
    recorder = _Recorder(n_images=len(train), seed=seed, on_epoch=on_epoch)
    stopping = _early_stopping(config, recorder)
    one_step = tf.data.Dataset.from_tensors(0)
    trainer.fit(
        one_step.repeat(),
        epochs=config.epochs,
        steps_per_epoch=1,
        validation_data=one_step if len(validation) else None,
        callbacks=[recorder, *stopping, *_plateau(config)],
        shuffle=False,
        verbose=0,
    )
    n_epochs = len(recorder.history["loss"])
    return Training(
        recorder.history,
        best_epoch=stopping[0].best_epoch + 1 if stopping and n_epochs else n_epochs,
        stopped_early=not recorder.diverged and n_epochs < config.epochs,
        diverged=recorder.diverged,
    )


def _early_stopping(config: TrainingConfig, recorder: "_Recorder") -> "list[_EarlyStopping]":
    if config.early_stopping is None:
        return []
    return [_EarlyStopping(recorder, **config.early_stopping.model_dump())]


def _plateau(config: TrainingConfig) -> list[Any]:
    if config.reduce_on_plateau is None:
        return []
    arguments = config.reduce_on_plateau.model_dump()
    min_lr = arguments.pop("min_learning_rate")
    return [keras.callbacks.ReduceLROnPlateau(**arguments, min_lr=min_lr)]


def class_weights(
    config: TrainingConfig, labels: IntArray, class_names: Sequence[str]
) -> NDArray[np.float32] | None:
    """Weight of each class, (n_classes,), or None; balanced ones make all classes count the same.

    Args:
        config: its class_weight names classes of the data only; 1 is the weight of the others.
        labels: codes of the training images, (n,).
        class_names: in the order of the codes.

    Source: King and Zeng 2001, Political Analysis 9(2): n / (n_classes * n_of_class).
    """
    if config.class_weight is None:
        return None
    if config.class_weight == "balanced":
        counts = np.bincount(labels, minlength=len(class_names))
        return (len(labels) / (len(class_names) * np.maximum(counts, 1))).astype(np.float32)
    return np.array([config.class_weight.get(name, 1.0) for name in class_names], np.float32)


class _Recorder(keras.callbacks.Callback):
    """Orders each epoch's images, records its values, and stops at NaN or infinity."""

    def __init__(self, *, n_images: int, seed: int, on_epoch: OnEpoch) -> None:
        super().__init__()
        self.n_images = n_images
        self.seed = seed
        self.report = on_epoch
        self.history: History = {"loss": []}
        self.diverged = False

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        self.finite_weights = self.model.get_weights()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        order = np.random.default_rng([self.seed, epoch]).permutation(self.n_images)
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


class _EarlyStopping(keras.callbacks.EarlyStopping):
    """Keras's, but blind to an epoch that diverged: its loss may be the best, its weights NaN."""

    def __init__(self, recorder: _Recorder, **arguments: Any) -> None:
        super().__init__(**arguments, mode="auto", restore_best_weights=True)
        self.recorder = recorder

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        if not self.recorder.diverged:
            super().on_epoch_end(epoch, logs)
