"""What is compiled once may serve the next training, which must not notice."""

import numpy as np
import pytest

from apple_clf.config import parse_experiment
from apple_clf.config.schema import ModelConfig, TrainingConfig
from apple_clf.data import Split
from apple_clf.model.backend import keras
from apple_clf.model.building import build_model
from apple_clf.model.files import keras_bytes
from apple_clf.training import Training, fit
from apple_clf.training.trainers import Trainers

pytestmark = pytest.mark.slow

SHAPE = (6, 6, 1)
NAMES = ("a", "b")
LAYERS = """[
    {"type": "random_translation", "height_factor": 0.2, "width_factor": 0.2},
    {"type": "dense", "units": 5, "use_bias": false},
    {"type": "batch_normalization", "momentum": 0.8},
    {"type": "dropout", "rate": 0.3},
    {"type": "dense", "units": 4, "activation": "tanh"}
]"""
PLATEAU = '"reduce_on_plateau": {"patience": 1, "factor": 0.5}'
STOPPING = '"early_stopping": {"patience": 1}'


def make_split(n: int, seed: int) -> Split:
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n).astype(np.int32)
    noise = rng.integers(120, size=(n, *SHAPE))
    pixels = (noise + 100 * labels[:, None, None, None]).astype(np.uint8)
    return Split(pixels, labels, [""] * n)


TRAIN, VALIDATION = make_split(40, 0), make_split(20, 1)


def configured(settings: str) -> TrainingConfig:
    text = f'training: {{"epochs": 4, "batch_size": 8, {settings}}}'
    return parse_experiment(text, filename="test").training


def make_model(layers: str = LAYERS) -> keras.Model:
    keras.utils.set_random_seed(3)
    config = ModelConfig.model_validate_json(f'{{"layers": {layers}}}')
    return build_model(config, input_shape=SHAPE, n_classes=2)


def train(
    settings: str, trainers: Trainers | None = None, *, layers: str = LAYERS
) -> tuple[Training, bytes]:
    model = make_model(layers)
    training = fit(
        model,
        configured(settings),
        train=TRAIN,
        validation=VALIDATION,
        class_names=NAMES,
        seed=1,
        trainers=trainers,
    )
    return training, keras_bytes(model)


@pytest.mark.parametrize(
    ("optimizer", "callbacks"),
    [
        ("adam", PLATEAU),
        ("adam", STOPPING),
        ("adamw", PLATEAU),
        ("rmsprop", STOPPING),
        ("momentum", PLATEAU),
        ("sgd", STOPPING),
    ],
)
def test_a_training_after_others_gives_the_same_bytes(optimizer: str, callbacks: str) -> None:
    def settings(rate: str) -> str:
        return f'"optimizer": "{optimizer}", "learning_rate": {rate}, {callbacks}'

    trainers = Trainers()
    for rate in ("0.5", "1e12", "0.01"):  # the second may diverge
        expected, expected_bytes = train(settings(rate))
        training, model_bytes = train(settings(rate), trainers)

        assert training.history == expected.history
        assert training.statistics.to_csv() == expected.statistics.to_csv()
        assert training.snapshots.to_bytes() == expected.snapshots.to_bytes()
        assert training.best_epoch == expected.best_epoch
        assert model_bytes == expected_bytes


def test_another_network_after_others_gives_the_same_bytes() -> None:
    trainers = Trainers()
    train('"learning_rate": 0.1', trainers)
    other = '[{"type": "dense", "units": 3}, {"type": "dropout", "rate": 0.5}]'

    _, model_bytes = train('"learning_rate": 0.1', trainers, layers=other)

    assert model_bytes == train('"learning_rate": 0.1', layers=other)[1]


def test_the_learning_rate_may_differ_and_the_data_not() -> None:
    trainers = Trainers()
    first = trainers.get(make_model(), configured('"learning_rate": 1.0'), TRAIN, VALIDATION, NAMES)
    again = configured('"learning_rate": 0.1')

    assert trainers.get(make_model(), again, TRAIN, VALIDATION, NAMES) is first
    assert trainers.get(make_model(), again, make_split(40, 0), VALIDATION, NAMES) is not first


@pytest.mark.parametrize(
    "settings",
    [
        '"class_weight": "balanced"',
        '"optimizer": {"type": "adam", "beta_1": 0.8}',
        '"loss": "mean_squared_error"',
        '"learning_rate": {"type": "cosine", "initial": 1.0}',
    ],
)
def test_what_is_compiled_into_the_trainer_may_not_differ(settings: str) -> None:
    trainers = Trainers()
    first = trainers.get(make_model(), configured('"learning_rate": 1.0'), TRAIN, VALIDATION, NAMES)

    other = trainers.get(make_model(), configured(settings), TRAIN, VALIDATION, NAMES)

    assert other is not first


def test_another_network_needs_another_trainer() -> None:
    trainers, config = Trainers(), configured('"learning_rate": 1.0')
    first = trainers.get(make_model(), config, TRAIN, VALIDATION, NAMES)

    wider = make_model(LAYERS.replace('"units": 4', '"units": 5'))

    assert trainers.get(wider, config, TRAIN, VALIDATION, NAMES) is not first
