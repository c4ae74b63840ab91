"""A Keras model whose step is an epoch: one compiled loop over pixels that stay where they are.

Keras's `fit` spends most of its time between steps when the network is small; here TensorFlow runs
all batches of an epoch without coming back to Python. Batches are gathered in the graph from uint8
pixels, in the order that `EpochModel.order` holds.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apple_clf.arrays import UInt8Array, aligned
from apple_clf.data import Split
from apple_clf.model.backend import keras, tf

VALIDATION_BATCH, VALIDATION_VALUES = 1024, 1 << 22
"""Images that are validated at a time, at most, and their values: 16 MiB as float32."""

Tensor = Any  # TensorFlow and Keras ship no types


class EpochModel(keras.Model):
    """A functional model whose `train_step` is an epoch and whose `test_step` is a validation."""

    train_function: Any  # as Keras names what it calls for an epoch, and for a validation
    test_function: Any

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
        self.train_pixels = _without_copy(train.images)
        self.train_labels = tf.constant(train.labels, tf.int32)
        self.validation_pixels = _without_copy(validation.images)
        self.validation_labels = tf.constant(validation.labels, tf.int32)
        self.class_weights = None if class_weights is None else tf.constant(class_weights)
        self.n_classes = self.output_shape[-1]
        self.one_hot = one_hot
        image_values = math.prod(train.images.shape[1:])
        self.validation_batch = max(1, min(VALIDATION_BATCH, VALIDATION_VALUES // image_values))
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

    def make_train_function(self, force: bool = False) -> None:
        """Compiles an epoch alone, not what Keras puts around a step to feed it batches."""
        if self.train_function is None or force:
            self.train_function = _compiled(self.train_step)

    def make_test_function(self, force: bool = False) -> None:
        """Compiles a validation alone."""
        if self.test_function is None or force:
            self.test_function = _compiled(self.test_step)

    def train_step(self, data: Tensor = None) -> dict[str, Tensor]:
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

    def test_step(self, data: Tensor = None) -> dict[str, Tensor]:
        """Metrics of one pass over the validation images."""
        del data

        def step(start: Tensor) -> Tensor:
            end = start + self.validation_batch
            x = self.validation_pixels[start:end]
            y = self.encode(self.validation_labels[start:end])
            y_pred = self(x, training=False)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, training=False)
            self._record(loss, x, y, y_pred)
            return end

        _loop(step, n=self.validation_labels.shape[0])
        results: dict[str, Tensor] = self.get_metrics_result()
        return results

    def _record(self, loss: Tensor, x: Tensor, y: Tensor, y_pred: Tensor) -> None:
        loss_tracker = next(metric for metric in self.metrics if metric.name == "loss")
        loss_tracker.update_state(loss, sample_weight=tf.shape(x)[0])
        self.compute_metrics(x, y, y_pred)


def _compiled(step: Callable[[], dict[str, Tensor]]) -> Callable[[Any], dict[str, Tensor]]:
    """A step in the graph, as Keras calls it: with an iterator, which ours leave alone."""
    compute = tf.function(step, autograph=False)
    return lambda iterator: compute()


def _without_copy(pixels: UInt8Array) -> Tensor:
    """Pixels as a tensor in the same memory, or in a copy's where they are not aligned."""
    return tf.experimental.dlpack.from_dlpack(aligned(pixels).__dlpack__())


def _loop(step: Callable[[Tensor], Tensor], *, n: int) -> None:
    """Calls step with 0 and then with what it returned, until that reaches n, in the graph."""
    tf.while_loop(
        lambda start: start < n,
        lambda start: (step(start),),
        (tf.constant(0),),
        parallel_iterations=1,
    )
