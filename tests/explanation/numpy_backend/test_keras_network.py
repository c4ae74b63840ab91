"""model.keras without Keras, against Keras and LiteRT."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apple_clf.config.schema import ModelConfig
from apple_clf.config.schema.augmentation import RandomContrast, RandomInvert, RandomZoom
from apple_clf.config.schema.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Flatten,
    LayerNormalization,
    Residual,
)
from apple_clf.errors import ArtifactError
from apple_clf.explanation.keras_backend import Network as KerasNetwork
from apple_clf.explanation.numpy_backend.keras_network import read_keras_network
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.model.backend import keras
from apple_clf.model.building import build_model
from apple_clf.model.files import keras_bytes, litert_bytes
from apple_clf.model.keras_file.network import LAYERS
from apple_clf.prediction.inference import Predictor
from apple_clf.runs.model_record import ModelRecord
from explanation.models import MODELS, PICTURE, SHAPE, imported

pytestmark = pytest.mark.slow


def others() -> keras.Model:
    """The layers that the models of `explanation` leave out."""
    layers = (
        RandomZoom(height_factor=0.1),
        RandomContrast(factor=0.2),
        RandomInvert(),
        Conv2D(filters=4, kernel_size=(3, 3), padding="same", use_bias=False),
        LayerNormalization(),
        Activation(activation="leaky_relu"),
        AveragePooling2D(pool_size=(2, 2), strides=(1, 2), padding="same"),
        Flatten(),
        Residual(layers=(Dense(units=6, activation="gelu"), BatchNormalization())),
        Dense(units=5, use_bias=False, activation="softmax"),
    )
    keras.utils.set_random_seed(4)
    model = build_model(ModelConfig(layers=layers), input_shape=SHAPE, n_classes=3)
    rng = np.random.default_rng(3)
    model.set_weights([w + rng.uniform(0.01, 0.2, w.shape) for w in model.get_weights()])
    return model


OURS = {name: make for name, make in MODELS.items() if make is not imported} | {"others": others}


@pytest.mark.parametrize("make", OURS.values(), ids=OURS)
def test_activations_and_gradients_are_those_of_keras(make: Callable[[], keras.Model]) -> None:
    model = make()
    ours, theirs = read_keras_network(keras_bytes(model)), KerasNetwork(model, n_classes=3)
    forward = theirs.forward(PICTURE)
    outputs = ours.forward(PICTURE[None])
    assert [step.name for step in ours.steps] == [step.name for step in theirs.steps]
    for mine, expected in zip(outputs[:-1], forward.outputs[:-1], strict=True):
        np.testing.assert_allclose(mine[0], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(outputs[-1][0], forward.logits, rtol=1e-4, atol=1e-5)
    pictures = np.stack([PICTURE, PICTURE[::-1]]).astype(np.float32)
    np.testing.assert_allclose(
        ours.logit_gradients(pictures, code=1),
        theirs.logit_gradients(pictures, code=1),
        rtol=1e-3,
        atol=1e-7,
    )


@pytest.mark.parametrize("make", OURS.values(), ids=OURS)
def test_logits_are_those_of_litert(make: Callable[[], keras.Model]) -> None:
    model = make()
    record = ModelRecord(
        class_names=("a", "b", "c"),
        positive_class="a",
        preprocessing=Preprocessing(image_size=SHAPE[:2]),
        threshold=None,
        temperature=1,
        keras_version="",
        keras_sha256="",
        litert_sha256="",
    )
    pictures = np.random.default_rng(7).integers(256, size=(5, *SHAPE), dtype=np.uint8)
    theirs = Predictor(record, litert_bytes(model)).outputs(pictures).logits
    ours = read_keras_network(keras_bytes(model)).forward(pictures)[-1]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)


def test_multiplications_are_counted() -> None:
    network = read_keras_network(keras_bytes(MODELS["dense"]()))
    assert network.multiplications == 42 * 9 + 9 * 5 + 5 * 3


def test_models_of_other_parts_are_refused() -> None:
    with pytest.raises(ArtifactError, match="Functional is none that an experiment names"):
        read_keras_network(keras_bytes(imported()))


def edited(change: Callable[[list[dict[str, Any]]], object]) -> bytes:
    """A .keras file whose layers were changed by hand."""
    source = zipfile.ZipFile(io.BytesIO(keras_bytes(MODELS["convolutional"]())))
    config = json.loads(source.read("config.json"))
    change(config["config"]["layers"])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            text = json.dumps(config) if name == "config.json" else source.read(name)
            target.writestr(name, text)
    return buffer.getvalue()


EDITS: dict[str, Callable[[list[dict[str, Any]]], object]] = {
    "grouped filters": lambda layers: layers[3]["config"].update(groups=2),
    "an unknown function": lambda layers: layers[3]["config"].update(activation="glu"),
    "another axis": lambda layers: layers[4]["config"].update(axis=1),
    "no end": lambda layers: layers.pop(),
    "a name that is nowhere": lambda layers: layers[2].update(name="elsewhere"),
    "a weight too few": lambda layers: layers.append(layers[-1] | {"name": "again"}),
    "no layers": lambda layers: layers.clear(),
    "no settings": lambda layers: layers[5]["config"].clear(),
}


@pytest.mark.parametrize("change", EDITS.values(), ids=EDITS)
def test_what_no_experiment_gives_is_refused(
    change: Callable[[list[dict[str, Any]]], object],
) -> None:
    with pytest.raises(ArtifactError):
        read_keras_network(edited(change))


def test_every_layer_that_is_opened_is_known_or_refused() -> None:
    """A new layer of experiments must be added here too."""
    from apple_clf.explanation.numpy_backend.keras_network import KINDS

    assert set(KINDS) < LAYERS


def test_damaged_file_is_refused() -> None:
    with pytest.raises(ArtifactError):
        read_keras_network(Path(__file__).read_bytes())
