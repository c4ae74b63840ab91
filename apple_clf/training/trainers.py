"""TrainingConfig + model + images -> a compiled trainer, or the one of the training before.

Half of a small training's time goes into compiling. Where a training differs from the one before
only in its learning rate, as in many a sweep, what was compiled then is used again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apple_clf.arrays import IntArray
from apple_clf.config.schema import TrainingConfig
from apple_clf.data import Split
from apple_clf.model.backend import forget_models, keras
from apple_clf.training.epoch_model import EpochModel
from apple_clf.training.optimizers import build_loss, build_optimizer
from apple_clf.training.statistics import Probe


@dataclass(frozen=True)
class Trainer:
    """What trains a model, and what measures it meanwhile."""

    model: keras.Model
    epochs: EpochModel
    probe: Probe

    def hand_over(self, model: keras.Model) -> None:
        """Gives a model of the same layers the weights that were learnt."""
        if model is not self.model:
            _copy(self.model.variables, to=model.variables)


class Trainers:
    """Remembers the latest trainer; the model it was made for is overwritten by the next one."""

    def __init__(self) -> None:
        """Remembers none yet."""
        self._latest: tuple[object, Split, Split, Trainer] | None = None

    def get(
        self,
        model: keras.Model,
        config: TrainingConfig,
        train: Split,
        validation: Split,
        class_names: Sequence[str],
    ) -> Trainer:
        """A trainer in the state of a new one, with the model's weights.

        Args:
            model: as from `build_model`.
            config: optimizer, loss, batch size and so on.
            train: n images.
            validation: may be empty.
            class_names: in the order of the codes.
        """
        key = (model.to_json(), _without_rate(config), tuple(class_names))
        if self._latest is not None:
            before, its_train, its_validation, trainer = self._latest
            if key == before and train is its_train and validation is its_validation:
                _copy(model.variables, to=trainer.model.variables)
                _start_again(trainer.epochs, config)
                return trainer
            self._latest = None
            del trainer, its_train, its_validation  # frees what it holds before more is asked for
            forget_models()
        trainer = _new(model, config, train, validation, class_names)
        self._latest = key, train, validation, trainer
        return trainer


def _without_rate(config: TrainingConfig) -> TrainingConfig:
    """The configuration but for a learning rate that is a variable when compiled."""
    if isinstance(config.learning_rate, float):
        return config.model_copy(update={"learning_rate": 0.0})
    return config


def _start_again(trainer: EpochModel, config: TrainingConfig) -> None:
    """Puts the optimizer into the state of a new one."""
    fresh = _optimizer(config, trainer.train_labels.shape[0])
    fresh.build(trainer.trainable_variables)
    _copy(fresh.variables, to=trainer.optimizer.variables)


def _copy(values: Sequence[keras.Variable], *, to: Sequence[keras.Variable]) -> None:
    for variable, value in zip(to, values, strict=True):
        variable.assign(value)


def _new(
    model: keras.Model,
    config: TrainingConfig,
    train: Split,
    validation: Split,
    class_names: Sequence[str],
) -> Trainer:
    """The model as one whose step is an epoch, compiled, with its data attached."""
    epochs = EpochModel(inputs=model.inputs, outputs=model.outputs)
    accuracy = "SparseCategoricalAccuracy" if config.loss.takes_codes else "CategoricalAccuracy"
    epochs.compile(
        optimizer=_optimizer(config, len(train)),
        loss=build_loss(config.loss),
        metrics=[getattr(keras.metrics, accuracy)(name="accuracy")],
        jit_compile=False,  # XLA makes a loop of small matrix products 20 times slower on a CPU
    )
    epochs.attach(
        train,
        validation,
        batch_size=config.batch_size,
        class_weights=class_weights(config, train.labels, class_names),
        one_hot=not config.loss.takes_codes,
    )
    return Trainer(model, epochs, Probe(epochs))


def _optimizer(config: TrainingConfig, n_images: int) -> keras.Optimizer:
    return build_optimizer(config, steps_per_epoch=-(-n_images // config.batch_size))


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
