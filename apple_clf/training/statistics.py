"""What happens inside each layer, measured after every epoch on the same few training images."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apple_clf.arrays import IntArray
from apple_clf.model.backend import keras, tf
from apple_clf.runs.layer_statistics import (
    N_SNAPSHOT_UNITS,
    LayerStatistics,
    WeightSnapshots,
    snapshot_epochs,
)
from apple_clf.training.epoch_model import EpochModel

PROBE_IMAGES = 256
PROBE_SHARE, FEWEST_PROBE_IMAGES = 32, 64
"""One training image in so many, but no fewer: measuring must cost little beside an epoch."""
PROBE_VALUES = 1 << 22
"""Of all its images: 16 MiB as float32."""

FLAT_ENDS = {
    "sigmoid": (0.02, 0.98),  # here the slope is a twelfth of the steepest
    "hard_sigmoid": (0.0, 1.0),
    "softmax": (0.02, 0.98),
    "tanh": (-0.96, 0.96),  # 2 sigmoid(2 x) - 1, so the same places
    "hard_tanh": (-1.0, 1.0),
}
"""By activation: outputs up to the first and from the second number on hardly pass a gradient."""

Tensor = Any  # TensorFlow and Keras ship no types


class Statistics(keras.callbacks.Callback):
    """Measures all layers after each epoch, and before the first."""

    def __init__(self, probe: "Probe", *, diverged: Callable[[], bool]) -> None:
        """Measures unless `diverged` says that the epoch just over is to be forgotten."""
        super().__init__()
        self.probe = probe
        self.diverged = diverged
        self.rows: list[NDArray[np.float32]] = []
        self.kernels: dict[int, NDArray[np.float16]] = {}

    def restore(self, arrays: list[NDArray[Any]]) -> None:
        """Goes on from what `arrays` gave."""
        self.rows = list(arrays[0])
        self.kernels = dict(zip(snapshot_epochs(len(self.rows) - 1), arrays[1:], strict=True))

    def arrays(self) -> list[NDArray[Any]]:
        """All that was measured: the numbers, and the kernel at each epoch of a snapshot."""
        return [np.array(self.rows), *self.kernels.values()]

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        self.probe.begin()
        if not self.rows:
            self._measure()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        if not self.diverged():
            self._measure()

    def _measure(self) -> None:
        epoch = len(self.rows)
        row, kernel = self.probe.measure()
        self.rows.append(row.numpy())
        self.kernels[epoch] = kernel.numpy()
        kept = snapshot_epochs(epoch)
        self.kernels = {at: kernel for at, kernel in self.kernels.items() if at in kept}

    @property
    def table(self) -> LayerStatistics:
        """The numbers so far."""
        return LayerStatistics(
            tuple(layer.name for layer in self.probe.layers), np.array(self.rows)
        )

    @property
    def snapshots(self) -> WeightSnapshots:
        """The weights kept so far."""
        epochs = tuple(self.kernels)
        return WeightSnapshots(self.probe.first.name, epochs, list(self.kernels.values()))


class Probe:
    """A few training images and the compiled function that measures a model on them."""

    def __init__(self, trainer: EpochModel) -> None:
        """Takes the images from those that are attached."""
        self.trainer = trainer
        self.layers = [
            layer
            for layer in trainer.layers
            if layer.trainable_weights or isinstance(layer, keras.layers.Activation)
        ]
        self.first = next(layer for layer in self.layers if hasattr(layer, "kernel"))
        outputs = [*(layer.output for layer in self.layers), trainer.outputs[0]]
        self.forward = keras.Model(trainer.inputs, outputs)
        self.before = [tf.Variable(w.value) for w in trainer.trainable_variables]
        at = probe_indices(trainer.train_pixels.shape)
        self.images = tf.gather(trainer.train_pixels, at)
        self.codes = tf.gather(trainer.train_labels, at)
        self.measure = tf.function(self._measure, autograph=False)

    def begin(self) -> None:
        """Takes the weights as they are for those before the first epoch to come."""
        for before, weight in zip(self.before, self.trainer.trainable_variables, strict=True):
            before.assign(weight.value)

    def _measure(self) -> tuple[Tensor, Tensor]:
        """Numbers, (n_layers, n_columns), and the first units' weights, as of now.

        The loss is that of the training, with its class weights and penalties, but the layers work
        as in prediction: dropout and augmentation would draw random numbers.
        """
        trainer = self.trainer
        weights = trainer.class_weights
        with tf.GradientTape() as tape:
            *outputs, y_pred = self.forward(self.images, training=False)
            loss = trainer.compute_loss(
                x=self.images,
                y=trainer.encode(self.codes),
                y_pred=y_pred,
                sample_weight=None if weights is None else tf.gather(weights, self.codes),
                training=False,
            )
        variables = trainer.trainable_variables
        values = [variable.value for variable in variables]
        gradients = tape.gradient(loss, values, unconnected_gradients="zero")
        places = {id(variable): i for i, variable in enumerate(variables)}
        rows = []
        for layer, output in zip(self.layers, outputs, strict=True):
            at = [places[id(variable)] for variable in layer.trainable_weights]
            learnt = _of_weights(
                [values[i] for i in at], [gradients[i] for i in at], [self.before[i] for i in at]
            )
            rows.append([*learnt, *_of_outputs(output, _activation(layer))])
        for before, value in zip(self.before, values, strict=True):
            before.assign(value)
        largest = tf.float16.max
        kernel = tf.clip_by_value(self.first.kernel[..., :N_SNAPSHOT_UNITS], -largest, largest)
        return tf.stack(rows), tf.cast(kernel, tf.float16)


def probe_indices(shape: tuple[int, ...]) -> IntArray:
    """Places of the probe's images, evenly spaced, as files come sorted by class.

    Args:
        shape: of the training images, (n, height, width, channels).
    """
    n, values = shape[0], int(np.prod(shape[1:]))
    wanted = max(FEWEST_PROBE_IMAGES, n // PROBE_SHARE)
    size = max(1, min(n, PROBE_IMAGES, wanted, PROBE_VALUES // values))
    places: IntArray = (np.arange(size) * n // size).astype(np.int32)
    return places


def _of_weights(
    weights: list[Tensor], gradients: list[Tensor], before: list[Tensor]
) -> list[Tensor]:
    """The first five columns, NaN for a layer without weights or without biases."""
    nan = tf.constant(float("nan"))
    if not weights:
        return [nan] * 5
    weight = tf.norm(weights[0])
    bias = tf.linalg.global_norm(weights[1:]) if weights[1:] else nan
    update = tf.norm(weights[0] - before[0])
    return [weight, bias, tf.linalg.global_norm(gradients), update, update / weight]


def _of_outputs(output: Tensor, activation: str) -> list[Tensor]:
    """The other columns."""
    over_images = tuple(range(len(output.shape) - 1))
    dead = tf.reduce_all(tf.equal(output, 0), axis=over_images)
    saturated = tf.constant(float("nan"))
    if activation in FLAT_ENDS:
        low, high = FLAT_ENDS[activation]
        saturated = _share((output <= low) | (output >= high))
    mean = tf.reduce_mean(output)
    return [mean, tf.sqrt(tf.reduce_mean((output - mean) ** 2)), _share(dead), saturated]


def _share(flags: Tensor) -> Tensor:
    return tf.reduce_mean(tf.cast(flags, tf.float32))


def _activation(layer: keras.Layer) -> str:
    return getattr(getattr(layer, "activation", None), "__name__", "linear")
