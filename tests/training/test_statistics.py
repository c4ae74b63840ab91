from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apple_clf.config import parse_experiment
from apple_clf.config.schema import ModelConfig
from apple_clf.data import Split
from apple_clf.model.backend import keras, tf
from apple_clf.model.building import build_model
from apple_clf.runs.checkpoints import Checkpoints
from apple_clf.runs.layer_statistics import LayerStatistics
from apple_clf.training import Training, fit
from apple_clf.training.statistics import FLAT_ENDS, probe_indices

pytestmark = pytest.mark.slow

SHAPE = (6, 6, 1)
LAYERS = """[
    {"type": "conv2d", "filters": 3, "kernel_size": 3, "activation": "relu"},
    {"type": "dropout", "rate": 0.3},
    {"type": "dense", "units": 5, "activation": "tanh", "use_bias": false,
     "kernel_regularizer": {"l2": 0.1}},
    {"type": "batch_normalization"},
    {"type": "activation", "activation": "sigmoid"}
]"""
NAMES = ["conv2d_1", "dense_3", "batch_normalization_4", "activation_5", "output"]


def make_split(n: int, seed: int) -> Split:
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n).astype(np.int32)
    pixels = (rng.integers(120, size=(n, *SHAPE)) + 100 * labels[:, None, None, None]).astype(
        np.uint8
    )
    return Split(pixels, labels, [""] * n)


TRAIN, EMPTY = make_split(40, 0), make_split(0, 1)


def make_model() -> keras.Model:
    keras.utils.set_random_seed(3)
    config = ModelConfig.model_validate_json(f'{{"layers": {LAYERS}}}')
    return build_model(config, input_shape=SHAPE, n_classes=2)


def train(model: keras.Model, *, epochs: int = 2, **options: Any) -> Training:
    text = f'training: {{"epochs": {epochs}, "batch_size": 8, "class_weight": {{"b": 3}}}}'
    config = parse_experiment(text, filename="test").training
    return fit(
        model, config, train=TRAIN, validation=EMPTY, class_names=("a", "b"), seed=1, **options
    )


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return make_model()


@pytest.fixture(scope="module")
def statistics(model: keras.Model) -> LayerStatistics:
    return train(model).statistics


def gradients_by_keras(model: keras.Model) -> dict[str, float]:
    """Norms of the gradient of the loss that training makes small, by layer."""
    with tf.GradientTape() as tape:
        loss = keras.losses.sparse_categorical_crossentropy(
            TRAIN.labels, model(TRAIN.images, training=False)
        )
        weights = np.where(TRAIN.labels == 1, 3.0, 1.0).astype(np.float32)
        total = tf.reduce_mean(loss * weights) + tf.add_n(model.losses)
    variables = [weight.value for weight in model.trainable_weights]
    norms: dict[str, float] = {}
    for weight, gradient in zip(
        model.trainable_weights, tape.gradient(total, variables), strict=True
    ):
        layer = weight.path.split("/")[0]
        norms[layer] = float(np.hypot(norms.get(layer, 0), np.linalg.norm(gradient)))
    return norms


def test_layers_are_those_with_weights_and_activations(statistics: LayerStatistics) -> None:
    assert list(statistics.layers) == NAMES
    assert len(statistics.values) == 3


def test_gradient_norms_are_those_of_keras(model: keras.Model, statistics: LayerStatistics) -> None:
    theirs = gradients_by_keras(model)
    ours = dict(zip(statistics.layers, statistics.column("gradient_norm")[-1], strict=True))
    assert np.isnan(ours.pop("activation_5"))
    assert ours == pytest.approx(theirs, rel=1e-4)


def test_weight_and_update_norms_are_those_of_the_weights() -> None:
    model, untrained = make_model(), make_model()
    statistics = train(model, epochs=1).statistics
    for i, name in enumerate(NAMES):
        if name == "activation_5":
            continue
        now, before = (m.get_layer(name).get_weights() for m in (model, untrained))
        moved = np.linalg.norm(now[0] - before[0])
        row = dict(zip(("weight", "bias"), statistics.values[-1, i, :2], strict=True))
        assert row["weight"] == pytest.approx(np.linalg.norm(now[0]), rel=1e-5)
        if name == "dense_3":
            assert np.isnan(row["bias"])
        else:
            assert row["bias"] == pytest.approx(np.linalg.norm(now[1]), rel=1e-5)
        assert statistics.column("update_norm")[-1, i] == pytest.approx(moved, rel=1e-4)
        assert statistics.column("update_ratio")[-1, i] == pytest.approx(
            moved / np.linalg.norm(now[0]), rel=1e-4
        )


def test_activations_are_those_of_keras(model: keras.Model, statistics: LayerStatistics) -> None:
    inner = keras.Model(model.input, [model.get_layer(name).output for name in NAMES])
    for i, (name, output) in enumerate(
        zip(NAMES, inner(TRAIN.images, training=False), strict=True)
    ):
        values = np.asarray(output)
        units = values.reshape(-1, values.shape[-1])
        mean, std, dead, saturated = statistics.values[-1, i, 5:]
        assert mean == pytest.approx(values.mean(), rel=1e-4, abs=1e-6)
        assert std == pytest.approx(values.std(), rel=1e-4)
        assert dead == np.mean((units == 0).all(axis=0))
        activation = {"dense_3": "tanh", "activation_5": "sigmoid", "output": "softmax"}.get(name)
        if activation is None:
            assert np.isnan(saturated)
        else:
            low, high = FLAT_ENDS[activation]
            assert saturated == pytest.approx(np.mean((values <= low) | (values >= high)))


def test_measuring_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    measured, left_alone = make_model(), make_model()
    with_it = train(measured)
    monkeypatch.setattr(
        "apple_clf.training.statistics.Statistics._measure",
        lambda self: self.kernels.setdefault(0, np.zeros((1, 1), np.float16)),
    )
    assert train(left_alone).history == with_it.history
    for ours, theirs in zip(measured.get_weights(), left_alone.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_resumed_training_comes_to_the_same_statistics(tmp_path: Path) -> None:
    whole = train(make_model(), epochs=5)
    epochs = iter([False, True])
    train(
        make_model(),
        epochs=5,
        checkpoints=Checkpoints(tmp_path),
        should_stop=lambda: next(epochs),
    )
    rest = train(make_model(), epochs=5, checkpoints=Checkpoints(tmp_path))
    assert rest.statistics.to_csv() == whole.statistics.to_csv()
    assert rest.snapshots.to_bytes() == whole.snapshots.to_bytes()


def test_snapshots_are_the_first_layers_weights(model: keras.Model) -> None:
    snapshots = train(trained := make_model()).snapshots
    assert (snapshots.layer, snapshots.epochs) == ("conv2d_1", (0, 1, 2))
    kernel = trained.get_layer("conv2d_1").get_weights()[0]
    np.testing.assert_array_equal(snapshots.weights[-1], kernel.astype(np.float16))
    untrained = make_model().get_layer("conv2d_1").get_weights()[0]
    np.testing.assert_array_equal(snapshots.weights[0], untrained.astype(np.float16))


def test_fault_46_diverged_training_has_the_untrained_networks_row() -> None:
    text = "training: {optimizer: sgd, learning_rate: 1e12}"
    training = fit(
        make_model(),
        parse_experiment(text, filename="test").training,
        train=TRAIN,
        validation=EMPTY,
        class_names=("a", "b"),
        seed=1,
    )
    assert training.diverged
    assert len(training.statistics.values) == len(training.history["loss"]) + 1


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        pytest.param((20, 4, 4, 1), 20, id="all_of_few"),
        pytest.param((1000, 28, 28, 1), 64, id="at_least_64"),
        pytest.param((4000, 28, 28, 1), 125, id="one_in_32"),
        pytest.param((100_000, 28, 28, 1), 256, id="at_most_256"),
        pytest.param((1000, 512, 512, 3), 5, id="fewer_large_ones"),
    ],
)
def test_probe_is_small_and_spread_over_all_images(shape: tuple[int, ...], size: int) -> None:
    places = probe_indices(shape)
    assert len(places) == len(set(places.tolist())) == size
    assert places[0] == 0
    assert shape[0] * (1 - 2 / size) <= places[-1] < shape[0]
    steps = np.diff(places)
    assert steps.max() - steps.min() <= 1
