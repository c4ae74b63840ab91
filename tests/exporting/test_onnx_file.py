import sys
from typing import get_args

import numpy as np
import pytest

from apple_clf.config.schema import ModelConfig
from apple_clf.config.schema.augmentation import RandomContrast, RandomFlip
from apple_clf.config.schema.layers import (
    Activation,
    ActivationName,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    LayerNormalization,
    MaxPooling2D,
    Residual,
)
from apple_clf.config.schema.model import Layer
from apple_clf.errors import ArtifactError, MissingExtraError
from apple_clf.exporting.graph import probabilities_graph
from apple_clf.exporting.onnx_file import onnx_answers, onnx_bytes
from apple_clf.model.adapting import adapt
from apple_clf.model.backend import keras, tf
from apple_clf.model.building import build_model
from apple_clf.model.files import frozen

SHAPE = (10, 9, 3)
PIXELS = np.random.default_rng(0).integers(0, 256, (7, *SHAPE), dtype=np.uint8)
CONV = Conv2D(filters=4, kernel_size=3)
STRIDED = Conv2D(filters=4, kernel_size=(3, 2), padding="same", strides=(2, 1), use_bias=False)

NETWORKS: dict[str, tuple[Layer, ...]] = {
    **{name: (Dense(units=6, activation=name),) for name in get_args(ActivationName)},
    "none": (),
    "convolution": (CONV,),
    "strided": (STRIDED, Activation(activation="gelu")),
    "batch normalization of pictures": (CONV, BatchNormalization()),
    "batch normalization of vectors": (Dense(units=4), BatchNormalization(epsilon=0.1)),
    "layer normalization of pictures": (CONV, LayerNormalization()),
    "layer normalization of vectors": (Dense(units=4), LayerNormalization(epsilon=0.1)),
    "max pooling": (MaxPooling2D(padding="same"),),
    "average pooling": (AveragePooling2D(pool_size=(3, 2), padding="same"),),
    "overlapping pooling": (MaxPooling2D(pool_size=3, strides=1),),
    "global average pooling": (CONV, GlobalAveragePooling2D()),
    "flatten": (Flatten(), Dropout(rate=0.5)),
    "residual pictures": (Residual(layers=(STRIDED,)),),
    "residual vectors": (Residual(layers=(Dense(units=7, activation="relu"),)),),
    "sparsemax of channels": (Conv2D(filters=4, kernel_size=3, activation="sparsemax"),),
    "augmentation": (RandomFlip(), RandomContrast(factor=0.2), CONV),
}


def with_random_weights(model: keras.Model) -> keras.Model:
    rng = np.random.default_rng(1)
    for weight in model.weights:
        positive = "variance" in weight.name
        weight.assign(
            rng.uniform(0.5, 2, weight.shape) if positive else rng.normal(size=weight.shape) / 2
        )
    return model


def answers(model: keras.Model) -> np.ndarray:
    graph = probabilities_graph(model, temperature=1.0)
    found: np.ndarray = onnx_answers(onnx_bytes(graph, metadata={}))(PIXELS)
    return found


@pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)
def test_every_layer_and_activation_answers_as_keras_does(layers: tuple[Layer, ...]) -> None:
    model = with_random_weights(
        build_model(ModelConfig(layers=layers), input_shape=SHAPE, n_classes=3)
    )
    expected = model(PIXELS, training=False).numpy()
    assert expected.std() > 0.01  # else any file would do
    np.testing.assert_allclose(answers(model), expected, atol=1e-5)


def test_layers_of_imported_models_answer_as_keras_does() -> None:
    layers = keras.layers
    stranger = keras.Sequential(
        [
            keras.Input(SHAPE),
            layers.ZeroPadding2D((1, 2)),
            layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
            layers.SeparableConv2D(5, 3, strides=2),
            layers.ReLU(max_value=6),
            layers.LeakyReLU(negative_slope=0.1),
            layers.GlobalMaxPooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model = adapt(with_random_weights(stranger), n_classes=3).model
    expected = model(PIXELS, training=False).numpy()
    assert expected.std() > 0.01
    np.testing.assert_allclose(answers(model), expected, atol=1e-5)


def test_operation_that_is_not_known_is_named() -> None:
    def forward(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"answers": tf.sin(tf.cast(pixels, tf.float32))}

    graph = frozen(forward, tf.TensorSpec((None, *SHAPE), tf.uint8, name="pixels"), weights=())
    with pytest.raises(ArtifactError, match="has the operation Sin, which"):
        onnx_bytes(graph, metadata={})


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_missing_extra_says_what_to_install(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = probabilities_graph(
        build_model(ModelConfig(layers=()), input_shape=SHAPE, n_classes=3), temperature=1.0
    )
    content = onnx_bytes(graph, metadata={})
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'apple-clf\[onnx\]'"):
        onnx_answers(content) if package == "onnxruntime" else onnx_bytes(graph, metadata={})
