import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from apple_clf.config import parse_experiment
from apple_clf.config.schema import ModelConfig, TrainingConfig
from apple_clf.data import Split
from apple_clf.model.backend import keras
from apple_clf.model.building import build_model
from apple_clf.training import Training, fit
from apple_clf.training.trainers import class_weights

pytestmark = pytest.mark.slow

SHAPE = (5, 4, 1)
NAMES = ("apple", "pear", "plum")
DENSE = '{"type": "dense", "units": 6, "activation": "tanh"}'
EPOCHS = 3


def make_split(n: int, seed: int) -> Split:
    """Noisy images whose class shows in how bright they are."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, size=n, p=(0.6, 0.3, 0.1)).astype(np.int32)
    noise = rng.integers(120, size=(n, *SHAPE))
    pixels = (noise + 60 * labels[:, None, None, None]).astype(np.uint8)
    return Split(pixels, labels, [str(i) for i in range(n)])


TRAIN, VALIDATION, EMPTY = make_split(37, 0), make_split(23, 1), make_split(0, 2)


def make_model(layers: str = DENSE) -> keras.Model:
    keras.utils.set_random_seed(5)
    config = ModelConfig.model_validate_json(f'{{"layers": [{layers}]}}')
    return build_model(config, input_shape=SHAPE, n_classes=3)


def train(
    model: keras.Model,
    settings: str = "",
    *,
    epochs: int = EPOCHS,
    validation: Split = VALIDATION,
    seed: int = 9,
) -> Training:
    """A training with batches of 8, so that the last of an epoch has 5 images."""
    text = f'training: {{"epochs": {epochs}, "batch_size": 8, {settings}}}'
    config = parse_experiment(text, filename="test.yaml").training
    return fit(model, config, train=TRAIN, validation=validation, class_names=NAMES, seed=seed)


def train_with_keras(
    model: keras.Model, optimizer: Any, loss: Any, class_weight: dict[int, float] | None
) -> dict[str, list[float]]:
    """What Keras's own fit makes of the same batches in the same order."""
    one_hot = not isinstance(loss, keras.losses.SparseCategoricalCrossentropy)

    def encode(labels: Any) -> Any:
        return np.eye(3, dtype=np.float32)[labels] if one_hot else labels

    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)
    history: dict[str, list[float]] = {}
    for epoch in range(EPOCHS):
        order = np.random.default_rng([9, epoch]).permutation(len(TRAIN))
        epoch_history = model.fit(
            TRAIN.images[order],
            encode(TRAIN.labels[order]),
            batch_size=8,
            validation_data=(VALIDATION.images, encode(VALIDATION.labels)),
            class_weight=class_weight,
            shuffle=False,
            verbose=0,
        ).history
        for name, (value,) in epoch_history.items():
            history.setdefault(name, []).append(value)
    return history


Case = tuple[str, str, Callable[[], Any], Any, dict[int, float] | None]
SPARSE = keras.losses.SparseCategoricalCrossentropy()
CASES: dict[str, Case] = {
    "plain": (DENSE, "", lambda: keras.optimizers.Adam(1e-3), SPARSE, None),
    "class_weights": (
        DENSE,
        '"optimizer": "momentum", "learning_rate": 0.1, "class_weight": {"plum": 5, "apple": 0.5}',
        lambda: keras.optimizers.SGD(0.1, momentum=0.9),
        SPARSE,
        {0: 0.5, 1: 1.0, 2: 5.0},
    ),
    "batch_normalization_and_penalty": (
        '{"type": "dense", "units": 6, "kernel_regularizer": {"l1": 0.01, "l2": 0.1}},'
        '{"type": "batch_normalization", "momentum": 0.7},'
        '{"type": "activation", "activation": "relu"}',
        '"optimizer": "rmsprop"',
        lambda: keras.optimizers.RMSprop(1e-3),
        SPARSE,
        None,
    ),
    "dropout": (
        f'{DENSE}, {{"type": "dropout", "rate": 0.5}}',
        '"optimizer": "adamw", "learning_rate": 0.01',
        lambda: keras.optimizers.AdamW(0.01, weight_decay=0.004),
        SPARSE,
        None,
    ),
    "pictures": (
        '{"type": "conv2d", "filters": 3, "kernel_size": 3, "padding": "same"},'
        '{"type": "residual", "layers": ['
        '{"type": "conv2d", "filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"},'
        '{"type": "layer_normalization"}]},'
        '{"type": "max_pooling2d", "pool_size": [2, 1]},'
        '{"type": "residual", "layers": [{"type": "dense", "units": 5}]}',
        "",
        lambda: keras.optimizers.Adam(1e-3),
        SPARSE,
        None,
    ),
    "augmentation": (
        '{"type": "random_flip"}, {"type": "random_rotation", "factor": 0.1},'
        '{"type": "random_zoom", "height_factor": 0.2},'
        '{"type": "random_translation", "height_factor": 0.2, "width_factor": 0.2},'
        '{"type": "random_contrast", "factor": 0.5}, {"type": "random_invert"},'
        '{"type": "conv2d", "filters": 3, "kernel_size": 2}, {"type": "dropout", "rate": 0.3},'
        '{"type": "global_average_pooling2d"}',
        '"learning_rate": 0.01',
        lambda: keras.optimizers.Adam(0.01),
        SPARSE,
        None,
    ),
    "label_smoothing": (
        DENSE,
        '"loss": {"type": "categorical_crossentropy", "label_smoothing": 0.2}, '
        '"class_weight": {"plum": 3}',
        lambda: keras.optimizers.Adam(1e-3),
        keras.losses.CategoricalCrossentropy(label_smoothing=0.2),
        {0: 1.0, 1: 1.0, 2: 3.0},
    ),
    "squared_error_and_schedule": (
        DENSE,
        '"loss": "mean_squared_error", "optimizer": {"type": "sgd", "global_clipnorm": 0.01},'
        '"learning_rate": {"type": "cosine", "initial": 0.5, "warmup_epochs": 1}',
        lambda: keras.optimizers.SGD(
            keras.optimizers.schedules.CosineDecay(0.0, 10, warmup_target=0.5, warmup_steps=5),
            global_clipnorm=0.01,
        ),
        keras.losses.MeanSquaredError(),
        None,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_training_equals_fit_of_keras(case: Case) -> None:
    layers, settings, optimizer, loss, class_weight = case
    theirs = make_model(layers)
    expected = train_with_keras(theirs, optimizer(), loss, class_weight)
    ours = make_model(layers)
    untrained = ours.get_weights()
    history = train(ours, settings).history
    for name, values in expected.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-4, atol=1e-6, err_msg=name)
    for weights, reference, before in zip(
        ours.get_weights(), theirs.get_weights(), untrained, strict=True
    ):
        np.testing.assert_allclose(weights, reference, rtol=1e-4, atol=1e-6)
        assert not np.array_equal(weights, before)


def test_history_has_a_value_per_epoch() -> None:
    reported = []
    config = TrainingConfig(epochs=2)
    training = fit(
        make_model(),
        config,
        train=TRAIN,
        validation=VALIDATION,
        class_names=NAMES,
        seed=0,
        on_epoch=lambda epoch, logs: reported.append((epoch, dict(logs))),
    )
    names = ["loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"]
    assert sorted(training.history) == sorted(names)
    rows = [{name: training.history[name][i] for name in names} for i in range(2)]
    assert reported == [(1, rows[0]), (2, rows[1])]


def test_without_validation_images_there_are_no_val_values() -> None:
    training = train(make_model(), validation=EMPTY)
    assert sorted(training.history) == ["accuracy", "learning_rate", "loss"]
    assert (training.best_epoch, training.stopped_early, training.diverged) == (3, False, False)


def test_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    models = [make_model() for _ in range(3)]
    histories = [
        train(model, seed=seed).history for model, seed in zip(models, (1, 1, 2), strict=True)
    ]
    weights = [b"".join(w.tobytes() for w in model.get_weights()) for model in models]
    assert weights[0] == weights[1] != weights[2]
    assert histories[0] == histories[1] != histories[2]


# The rate rises past what the task can take, so that validation gets worse after a while.
GETS_WORSE = (
    '"optimizer": "sgd", "learning_rate": '
    '{"type": "piecewise_constant", "boundaries": [4], "values": [0.05, 30.0]}'
)


@pytest.mark.parametrize(
    ("monitor", "patience", "stops"), [("val_loss", 2, True), ("val_accuracy", 50, False)]
)
def test_early_stopping_keeps_the_best_weights(monitor: str, patience: int, stops: bool) -> None:
    model = make_model()
    stopping = f'"early_stopping": {{"monitor": "{monitor}", "patience": {patience}}}'
    training = train(model, f"{GETS_WORSE}, {stopping}", epochs=10)
    values = np.array(training.history[monitor])
    best = values.argmin() if monitor == "val_loss" else values.argmax()
    assert training.best_epoch == best + 1 < len(values)
    assert training.stopped_early is stops
    assert len(values) == (best + 1 + patience if stops else 10)
    again = make_model()
    train(again, GETS_WORSE, epochs=int(best) + 1)
    for kept, reference in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, reference)


def test_plateau_halves_the_rate_of_the_following_epochs() -> None:
    plateau = '"reduce_on_plateau": {"patience": 1, "min_learning_rate": 0.3, "monitor": "loss"}'
    history = train(
        make_model(),
        f'"optimizer": "sgd", "learning_rate": 1.0, {plateau}, '
        '"loss": {"type": "categorical_focal_crossentropy", "alpha": 0.0}',
    ).history
    assert history["loss"] == [0.0] * EPOCHS  # never better
    assert history["learning_rate"] == [1.0, 1.0, 0.5]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        pytest.param(
            '{"type": "piecewise_constant", "boundaries": [1, 3], "values": [0.1, 0.2, 0.3]}',
            [0.1, 0.2, 0.2, 0.3],
            id="piecewise_constant",
        ),
        pytest.param(  # 5 steps an epoch; the last step of epoch e is step 5 e - 1 from 0
            '{"type": "cosine", "initial": 0.4, "warmup_epochs": 1}',
            [0.4 * 4 / 5, *(0.2 * (1 + np.cos(np.pi * step / 15)) for step in (4, 9, 14))],
            id="cosine",
        ),
    ],
)
def test_learning_rate_of_an_epoch_is_that_of_its_last_step(
    schedule: str, expected: Sequence[float]
) -> None:
    history = train(make_model(), f'"learning_rate": {schedule}', epochs=4).history
    assert history["learning_rate"] == pytest.approx(expected, rel=1e-5)


def assert_finite(model: keras.Model, training: Training) -> None:
    assert all(np.isfinite(weights).all() for weights in model.get_weights())
    assert all(np.isfinite(values).all() for values in training.history.values())


EXPLODES = '"optimizer": "sgd", "learning_rate": {"type": "piecewise_constant", "boundaries": [2], '
EXPLODES += '"values": [0.01, 1e12]}, "loss": "sparse_categorical_crossentropy"'
DEEP = ", ".join(['{"type": "dense", "units": 6}'] * 5)


@pytest.mark.parametrize("stopping", ["", ', "early_stopping": {"patience": 50}'])
def test_fault_46_divergence_keeps_the_last_finite_epoch(stopping: str) -> None:
    model = make_model(DEEP)
    training = train(model, EXPLODES + stopping, epochs=9)
    assert training.diverged
    assert not training.stopped_early
    assert training.best_epoch == len(training.history["loss"]) == 2
    assert_finite(model, training)
    twin = make_model(DEEP)
    train(twin, EXPLODES, epochs=2)
    for kept, reference in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, reference)


@pytest.mark.parametrize("stopping", ["", ', "early_stopping": {"monitor": "loss"}'])
def test_fault_46_divergence_in_the_first_epoch_keeps_the_untrained_weights(stopping: str) -> None:
    model = make_model(DEEP)
    untrained = model.get_weights()
    training = train(model, '"optimizer": "sgd", "learning_rate": 1e12' + stopping)
    assert training.diverged
    assert (training.best_epoch, training.history["loss"]) == (0, [])
    for kept, before in zip(model.get_weights(), untrained, strict=True):
        np.testing.assert_array_equal(kept, before)


def test_balanced_class_weights_make_classes_count_the_same() -> None:
    config = TrainingConfig(class_weight="balanced")
    weights = class_weights(config, np.array([0, 0, 0, 1]), ("a", "b"))
    assert weights is not None
    np.testing.assert_allclose(weights, [4 / 6, 2])
    assert 3 * weights[0] == pytest.approx(weights[1])


def test_balanced_class_weights_are_finite_without_an_image_of_a_class() -> None:
    weights = class_weights(TrainingConfig(class_weight="balanced"), np.array([0, 0]), ("a", "b"))
    assert np.isfinite(weights).all()  # type: ignore[arg-type]


def test_class_weights_by_name_leave_the_others_at_one() -> None:
    weights = class_weights(TrainingConfig(class_weight={"b": 3.0}), np.array([0]), ("a", "b"))
    np.testing.assert_array_equal(weights, [1, 3])


def test_history_holds_the_shortest_decimals_of_its_floats() -> None:
    history = train(make_model(), epochs=1).history
    for (value,) in history.values():
        assert re.fullmatch(r"\d\.\d{1,10}(e-\d+)?", str(value)), value
