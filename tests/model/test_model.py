import io
import zipfile
from typing import get_args

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from apple_clf.config.schema import Activation, BatchNormalization, Dense, Dropout, ModelConfig
from apple_clf.config.schema.layers import ActivationName, Initializer
from apple_clf.model.backend import keras
from apple_clf.model.building import build_model
from apple_clf.model.files import keras_bytes, litert_bytes

pytestmark = pytest.mark.slow

SHAPE = (6, 5, 1)
PIXELS = np.random.default_rng(0).integers(256, size=(33, *SHAPE), dtype=np.uint8)


def run_litert(content: bytes, pixels: np.ndarray) -> np.ndarray:
    runner = Interpreter(model_content=content).get_signature_runner()
    return np.asarray(keras.ops.softmax(runner(pixels=pixels)["logits"]))


def randomised(config: ModelConfig, *, n_classes: int = 3) -> keras.Model:
    """A model whose every weight differs from its initial value, moving statistics too."""
    keras.utils.set_random_seed(3)
    model = build_model(config, input_shape=SHAPE, n_classes=n_classes)
    rng = np.random.default_rng(4)
    model.set_weights([w + rng.uniform(0.01, 0.1, w.shape) for w in model.get_weights()])
    return model


def test_model_maps_raw_pixels_to_probabilities() -> None:
    model = build_model(ModelConfig(), input_shape=SHAPE, n_classes=3)
    probabilities = model(PIXELS).numpy()
    assert probabilities.shape == (33, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_layers_are_the_ones_of_the_experiment() -> None:
    config = ModelConfig(
        layers=(
            Dense(units=7, activation="tanh", use_bias=False, kernel_initializer="he_normal"),
            BatchNormalization(momentum=0.5, epsilon=0.01),
            Activation(activation="relu"),
            Dropout(rate=0.25),
        )
    )
    model = build_model(config, input_shape=SHAPE, n_classes=2)
    dense, norm, activation, dropout, output = model.layers[3:]
    assert (dense.units, dense.activation.__name__, dense.use_bias) == (7, "tanh", False)
    assert isinstance(dense.kernel_initializer, keras.initializers.HeNormal)
    assert (norm.momentum, norm.epsilon) == (0.5, 0.01)
    assert activation.activation.__name__ == "relu"
    assert dropout.rate == 0.25
    assert (output.units, output.activation.__name__) == (2, "softmax")


def test_regularizer_is_added_to_the_loss() -> None:
    config = ModelConfig.model_validate_json(
        '{"layers": [{"type": "dense", "units": 4, "kernel_regularizer": {"l2": 0.5}}]}'
    )
    model = build_model(config, input_shape=SHAPE, n_classes=2)
    kernel = model.get_layer("dense_1").kernel.numpy()
    assert model.losses[0].numpy() == pytest.approx(0.5 * np.sum(kernel**2), rel=1e-5)


@pytest.mark.parametrize("initializer", get_args(Initializer))
def test_every_initializer_builds(initializer: str) -> None:
    config = ModelConfig.model_validate_json(
        f'{{"layers": [{{"type": "dense", "units": 4, "kernel_initializer": "{initializer}"}}]}}'
    )
    build_model(config, input_shape=SHAPE, n_classes=2)


@pytest.mark.parametrize("activation", get_args(ActivationName))
def test_litert_agrees_with_keras_for_every_activation(activation: str) -> None:
    layers = (Dense(units=8, activation=activation), Activation(activation=activation))  # type: ignore[arg-type]
    model = randomised(ModelConfig(layers=layers))
    expected = model.predict(PIXELS, verbose=0)
    np.testing.assert_allclose(run_litert(litert_bytes(model), PIXELS), expected, atol=1e-5)


def test_litert_leaves_dropout_out_and_uses_moving_statistics() -> None:
    model = randomised(ModelConfig(layers=(BatchNormalization(), Dropout(rate=0.9))))
    expected = model.predict(PIXELS, verbose=0)
    np.testing.assert_allclose(run_litert(litert_bytes(model), PIXELS), expected, atol=1e-5)


def test_files_are_the_same_bytes_for_the_same_weights() -> None:
    first, second = randomised(ModelConfig()), randomised(ModelConfig())
    assert keras_bytes(first) == keras_bytes(second)
    assert litert_bytes(first) == litert_bytes(second)


def test_keras_file_loads_with_its_weights(tmp_path_factory: pytest.TempPathFactory) -> None:
    model = randomised(ModelConfig())
    path = tmp_path_factory.mktemp("model") / "model.keras"
    path.write_bytes(keras_bytes(model))
    loaded = keras.models.load_model(path, compile=False)
    np.testing.assert_array_equal(
        loaded.predict(PIXELS, verbose=0), model.predict(PIXELS, verbose=0)
    )


def test_keras_file_carries_no_clock() -> None:
    content = keras_bytes(randomised(ModelConfig()))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
