"""The training loop: an epoch is one compiled loop over pixels that stay where they are.

`EpochModel` keeps Keras's interfaces (compile, fit, callbacks, History) and changes one thing: a
`train_step` is a whole epoch. Keras's `fit` spends most of its time between steps when the network
is small; here TensorFlow runs all batches of an epoch without coming back to Python. Batches are
gathered in the graph from uint8 pixels, in an order that depends on (seed, epoch) alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apple_clf.arrays import IntArray
from apple_clf.backend import keras, tf
from apple_clf.datasets import Split
from apple_clf.errors import ConfigError
from apple_clf.optimizers import build_loss, build_optimizer, takes_codes
from apple_clf.schema import TrainingConfig

VALIDATION_BATCH = 1024

History = dict[str, list[float]]
"""A list with a value per epoch: loss, accuracy, val_loss, val_accuracy, learning_rate."""

Tensor = Any  # TensorFlow and Keras ship no types
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
        class_weights=_class_weights(config, train.labels, class_names),
        one_hot=not takes_codes(config.loss),
    )
    recorder = _Recorder(n_images=len(train), seed=seed, on_epoch=on_epoch)
    stopping = _early_stopping(config)
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


def _early_stopping(config: TrainingConfig) -> list[Any]:
    if config.early_stopping is None:
        return []
    return [
        keras.callbacks.EarlyStopping(
            **config.early_stopping.model_dump(), mode="auto", restore_best_weights=True
        )
    ]


def _plateau(config: TrainingConfig) -> list[Any]:
    if config.reduce_on_plateau is None:
        return []
    arguments = config.reduce_on_plateau.model_dump()
    min_lr = arguments.pop("min_learning_rate")
    return [keras.callbacks.ReduceLROnPlateau(**arguments, min_lr=min_lr)]


def _class_weights(
    config: TrainingConfig, labels: IntArray, class_names: Sequence[str]
) -> NDArray[np.float32] | None:
    """Weight of each class, (n_classes,); balanced ones make all classes count the same."""
    if config.class_weight is None:
        return None
    if config.class_weight == "balanced":
        counts = np.bincount(labels, minlength=len(class_names))
        return (len(labels) / (len(class_names) * counts)).astype(np.float32)
    unknown = sorted(set(config.class_weight) - set(class_names))
    if unknown:
        raise ConfigError(
            f"training.class_weight names {unknown[0]!r}, which is no class of the data: "
            f"{', '.join(class_names)}."
        )
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
        # The shortest decimal that is the same float32: 0.65, not 0.6499999761581421.
        values = {name: float(str(np.float32(value))) for name, value in (logs or {}).items()}
        weights = self.model.get_weights()
        if not all(map(np.isfinite, values.values())) or not all(
            np.isfinite(array).all() for array in weights
        ):
            self.diverged = True
            self.model.stop_training = True
            return
        self.finite_weights = weights
        values["learning_rate"] = float(str(self.model.optimizer.learning_rate.numpy()))
        for name, value in values.items():
            self.history.setdefault(name, []).append(value)
        self.report(epoch + 1, values)

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        if self.diverged:
            self.model.set_weights(self.finite_weights)


class EpochModel(keras.Model):
    """A functional model whose `train_step` is an epoch and whose `test_step` is a validation."""

    def attach(
        self,
        train: Split,
        validation: Split,
        *,
        batch_size: int,
        class_weights: NDArray[np.float32] | None,
        one_hot: bool,
    ) -> None:
        """Puts the data on the device and builds all state, so that the loops create none."""
        self.batch_size = batch_size
        self.train_pixels = tf.constant(train.images)
        self.train_labels = tf.constant(train.labels, tf.int32)
        self.validation_pixels = tf.constant(validation.images)
        self.validation_labels = tf.constant(validation.labels, tf.int32)
        self.class_weights = None if class_weights is None else tf.constant(class_weights)
        self.n_classes = self.output_shape[-1]
        self.one_hot = one_hot
        self.order = tf.Variable(tf.range(len(train)), trainable=False, name="order")
        self.optimizer.build(self.trainable_variables)
        x, y = self.train_pixels[:1], self.encode(self.train_labels[:1])
        y_pred = self(x, training=False)
        self.compute_loss(x=x, y=y, y_pred=y_pred)
        self.compute_metrics(x, y, y_pred)
        self.reset_metrics()

    def encode(self, codes: Tensor) -> Tensor:
        """Class codes as the loss takes them: as they are, or one-hot rows."""
        return tf.one_hot(codes, self.n_classes) if self.one_hot else codes

    def train_step(self, data: Tensor) -> dict[str, Tensor]:
        """Metrics of one pass over the training images in the order that `order` holds."""
        del data  # Keras hands over a batch; ours are gathered below

        def step(start: Tensor) -> Tensor:
            at = self.order[start : start + self.batch_size]  # the last batch may be smaller
            x = tf.gather(self.train_pixels, at)
            codes = tf.gather(self.train_labels, at)
            y = self.encode(codes)
            weight = None
            if self.class_weights is not None:
                weight = tf.gather(self.class_weights, codes)
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=weight)
            variables = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            self._record(loss, x, y, y_pred)
            return start + self.batch_size

        _loop(step, n=self.train_labels.shape[0])
        results: dict[str, Tensor] = self.get_metrics_result()
        return results

    def test_step(self, data: Tensor) -> dict[str, Tensor]:
        """Metrics of one pass over the validation images."""
        del data

        def step(start: Tensor) -> Tensor:
            x = self.validation_pixels[start : start + VALIDATION_BATCH]
            y = self.encode(self.validation_labels[start : start + VALIDATION_BATCH])
            y_pred = self(x, training=False)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, training=False)
            self._record(loss, x, y, y_pred)
            return start + VALIDATION_BATCH

        _loop(step, n=self.validation_labels.shape[0])
        results: dict[str, Tensor] = self.get_metrics_result()
        return results

    def _record(self, loss: Tensor, x: Tensor, y: Tensor, y_pred: Tensor) -> None:
        loss_tracker = next(metric for metric in self.metrics if metric.name == "loss")
        loss_tracker.update_state(loss, sample_weight=tf.shape(x)[0])
        self.compute_metrics(x, y, y_pred)


def _loop(step: Callable[[Tensor], Tensor], *, n: int) -> None:
    """Calls step with 0 and then with what it returned, until that reaches n, in the graph."""
    tf.while_loop(
        lambda start: start < n,
        lambda start: (step(start),),
        (tf.constant(0),),
        parallel_iterations=1,
    )
