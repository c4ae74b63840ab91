"""Every kind of layer: its arguments, what it does in training and out of it, and LiteRT."""

import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from apple_clf.arrays import FloatArray
from apple_clf.config.schema.augmentation import (
    Augmentation,
    RandomContrast,
    RandomFlip,
    RandomInvert,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
)
from apple_clf.config.schema.layers import (
    Activation,
    ActivationName,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    ConvInitializer,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    LayerNormalization,
    MaxPooling2D,
    Regularizer,
    Residual,
)
from apple_clf.config.schema.model import Layer, ModelConfig
from apple_clf.model.backend import keras
from apple_clf.model.building import build_model
from apple_clf.model.files import keras_bytes, litert_bytes

pytestmark = pytest.mark.slow

SHAPE = (9, 8, 1)
PIXELS = np.random.default_rng(0).integers(256, size=(33, *SHAPE), dtype=np.uint8)
CONV = Conv2D(filters=4, kernel_size=3, activation="relu")
AUGMENTATION: tuple[Layer, ...] = (
    RandomFlip(),
    RandomRotation(factor=0.1),
    RandomZoom(height_factor=(-0.1, 0.2)),
    RandomTranslation(height_factor=0.1, width_factor=(0.0, 0.2)),
    RandomContrast(factor=0.3),
    RandomInvert(),
)


def build(*layers: Layer, shape: tuple[int, int, int] = SHAPE, seed: int = 3) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return build_model(ModelConfig(layers=layers), input_shape=shape, n_classes=3)


def randomised(*layers: Layer) -> keras.Model:
    """A model whose every weight differs from its initial value, moving statistics too."""
    model = build(*layers)
    rng = np.random.default_rng(4)
    model.set_weights([w + rng.uniform(0.01, 0.1, w.shape) for w in model.get_weights()])
    return model


def up_to(model: keras.Model, name: str) -> keras.Model:
    return keras.Model(model.inputs[0], model.get_layer(name).output)


def litert_answers(model: keras.Model) -> FloatArray:
    runner = Interpreter(model_content=litert_bytes(model)).get_signature_runner()
    logits: FloatArray = runner(pixels=PIXELS)["logits"]
    return np.asarray(keras.ops.softmax(logits))


def test_arguments_reach_keras() -> None:
    conv = Conv2D(
        filters=6,
        kernel_size=(3, 2),
        strides=2,
        padding="same",
        activation="tanh",
        use_bias=False,
        kernel_initializer="he_normal",
        kernel_regularizer=Regularizer(l1=0.1, l2=0.2),
    )
    pool = AveragePooling2D(pool_size=(2, 1), strides=1, padding="same")
    model = build(conv, pool, LayerNormalization(epsilon=0.1))
    found = model.get_layer("conv2d_1")
    assert (found.filters, found.kernel_size, found.strides) == (6, (3, 2), (2, 2))
    assert (found.padding, found.activation.__name__, found.use_bias) == ("same", "tanh", False)
    assert isinstance(found.kernel_initializer, keras.initializers.HeNormal)
    assert found.kernel_regularizer.l2 == pytest.approx(0.2)
    pooling = model.get_layer("average_pooling2d_2")
    assert (pooling.pool_size, pooling.strides, pooling.padding) == ((2, 1), (1, 1), "same")
    assert model.get_layer("layer_normalization_3").epsilon == 0.1


@pytest.mark.parametrize("initializer", get_args(ConvInitializer))
def test_every_initializer_of_filters_builds(initializer: Any) -> None:
    build(Conv2D(filters=2, kernel_size=2, kernel_initializer=initializer))


@pytest.mark.parametrize(
    ("layers", "names"),
    [
        pytest.param((), ["flatten"], id="none"),
        pytest.param(
            (BatchNormalization(), Dense(units=2)),
            ["flatten", "batch_normalization_1", "dense_2"],
            id="vectors from the start",
        ),
        pytest.param(
            (CONV, BatchNormalization(), Dense(units=2)),
            ["conv2d_1", "batch_normalization_2", "flatten", "dense_3"],
            id="before the first dense layer",
        ),
        pytest.param((RandomFlip(), CONV), ["random_flip_1", "conv2d_2", "flatten"], id="output"),
        pytest.param(
            (CONV, Flatten(), Dense(units=2)), ["conv2d_1", "flatten_2", "dense_3"], id="written"
        ),
        pytest.param(
            (GlobalAveragePooling2D(), Dense(units=2)),
            ["global_average_pooling2d_1", "dense_2"],
            id="averaged",
        ),
        pytest.param(
            (Residual(layers=(Dense(units=72),)),),
            ["flatten", "residual_1_dense_1", "residual_1"],
            id="residual of vectors",
        ),
    ],
)
def test_pictures_are_flattened_where_vectors_are_due(
    layers: tuple[Layer, ...], names: list[str]
) -> None:
    assert [layer.name for layer in build(*layers).layers] == [
        "pixels", "rescaling", *names, "output",
    ]  # fmt: skip


def test_residual_adds_its_input() -> None:
    model = build(Residual(layers=(Conv2D(filters=1, kernel_size=3, padding="same"),)))
    branch = up_to(model, "residual_1_conv2d_1").predict(PIXELS, verbose=0)
    added = up_to(model, "residual_1").predict(PIXELS, verbose=0)
    np.testing.assert_allclose(added, PIXELS / 255 + branch, atol=1e-6)


def test_residual_fits_pictures_by_a_map_with_the_strides_of_its_layers() -> None:
    inner = (Conv2D(filters=4, kernel_size=3, strides=2, padding="same"), MaxPooling2D(pool_size=1))
    model = build(Residual(layers=inner))
    kernel = model.get_layer("residual_1_projection").kernel.numpy()[0, 0]
    branch = up_to(model, "residual_1_max_pooling2d_2").predict(PIXELS, verbose=0)
    added = up_to(model, "residual_1").predict(PIXELS, verbose=0)
    expected = branch + PIXELS[:, ::2, ::2] / 255 @ kernel
    np.testing.assert_allclose(added, expected, atol=1e-5)


def test_residual_fits_vectors_by_a_matrix() -> None:
    model = build(Residual(layers=(Dense(units=5), Dropout(rate=0.5))))
    projection = model.get_layer("residual_1_projection")
    branch = up_to(model, "residual_1_dense_1").predict(PIXELS, verbose=0)
    added = up_to(model, "residual_1").predict(PIXELS, verbose=0)
    expected = branch + PIXELS.reshape(33, -1) / 255 @ projection.kernel.numpy()
    assert projection.bias is None
    np.testing.assert_allclose(added, expected, atol=1e-5)


def every_layer() -> dict[str, tuple[Layer, ...]]:
    cases: dict[str, tuple[Layer, ...]] = {
        layer.type: (CONV, layer)
        for layer in (
            LayerNormalization(),
            BatchNormalization(),
            Dropout(rate=0.9),
            MaxPooling2D(pool_size=(2, 3), strides=(1, 2), padding="same"),
            AveragePooling2D(pool_size=3, padding="same"),
            GlobalAveragePooling2D(),
            Flatten(),
            Dense(units=4),
        )
    }
    cases |= {
        "conv2d": (Conv2D(filters=5, kernel_size=(2, 3), strides=(2, 1), padding="same"), CONV),
        "residual": (Residual(layers=(CONV.model_copy(update={"padding": "same"}),)),),
        "residual_projected": (
            Residual(layers=(Conv2D(filters=4, kernel_size=3, strides=2, padding="same"),)),
        ),
        "residual_of_vectors": (Residual(layers=(Dense(units=4), LayerNormalization())),),
        "augmentation": (*AUGMENTATION, CONV),
    }
    return cases


@pytest.mark.parametrize("layers", every_layer().values(), ids=every_layer())
def test_litert_agrees_with_keras_for_every_layer(layers: tuple[Layer, ...]) -> None:
    model = randomised(*layers)
    np.testing.assert_allclose(litert_answers(model), model.predict(PIXELS, verbose=0), atol=1e-5)


@pytest.mark.parametrize("activation", get_args(ActivationName))
def test_litert_agrees_with_keras_for_every_activation_of_pictures(activation: Any) -> None:
    model = randomised(
        Conv2D(filters=4, kernel_size=3, activation=activation), Activation(activation=activation)
    )
    np.testing.assert_allclose(litert_answers(model), model.predict(PIXELS, verbose=0), atol=1e-5)


def test_augmentation_is_absent_from_the_litert_file() -> None:
    def operations(model: keras.Model) -> list[str]:
        interpreter = Interpreter(model_content=litert_bytes(model))
        return [step["op_name"] for step in interpreter._get_ops_details()]

    assert operations(build(*AUGMENTATION, CONV)) == operations(build(CONV))


def test_augmentation_changes_images_in_training_only() -> None:
    for layer in AUGMENTATION:
        model = build(layer)
        changed = up_to(model, f"{layer.type}_1")
        np.testing.assert_allclose(changed(PIXELS, training=False), PIXELS / 255, atol=1e-6)
        first, second = (np.asarray(changed(PIXELS, training=True)) for _ in range(2))
        assert np.abs(first - PIXELS / 255).max() > 0.1, layer.type
        assert np.abs(first - second).max() > 0.1, layer.type
        assert 0 <= first.min() <= first.max() <= 1, layer.type


def augmented(layer: Augmentation, picture: FloatArray, *, n: int = 400) -> FloatArray:
    """n training images that a layer makes of one, from 0 to 1."""
    pixels = np.round(255 * picture).astype(np.uint8)[None, ..., None].repeat(n, axis=0)
    model = build(layer, shape=(*picture.shape, 1))
    changed = up_to(model, f"{layer.type}_1")(pixels, training=True)
    return np.asarray(changed)[..., 0]


def test_invert_takes_half_of_its_factor_of_the_images() -> None:
    for factor in (0.0, 0.5, 1.0):
        share = augmented(RandomInvert(factor=factor), np.zeros((2, 2))).mean()
        assert share == pytest.approx(factor / 2, abs=0.08)


def test_contrast_is_both_weakened_and_strengthened_about_the_mean() -> None:
    picture = np.array([[0.4, 0.6]])
    changed = augmented(RandomContrast(factor=0.5), picture)
    contrast = (changed[:, 0, 1] - changed[:, 0, 0]) / 0.2
    np.testing.assert_allclose(changed.mean(axis=(1, 2)), 0.5, atol=0.01)
    assert contrast.min() == pytest.approx(0.5, abs=0.02)
    assert contrast.max() == pytest.approx(1.5, abs=0.02)


def test_flip_mirrors_half_of_the_images() -> None:
    picture = np.array([[1.0, 0.0], [0.0, 0.0]])
    changed = augmented(RandomFlip(mode="horizontal"), picture)
    assert changed[:, 0, 1].mean() == pytest.approx(0.5, abs=0.08)
    assert changed[:, 1].max() == 0


def test_translation_above_zero_moves_down_and_right_and_bares_the_fill_value() -> None:
    picture = np.zeros((4, 4))
    picture[1, 1] = 1
    layer = RandomTranslation(height_factor=(0.25, 0.25), width_factor=(0.5, 0.5), fill_value=0.6)
    (changed,) = augmented(layer, picture, n=1)
    expected = np.full((4, 4), 0.6)
    expected[1:, 2:] = picture[:3, :2]
    np.testing.assert_allclose(changed, expected, atol=1e-6)


def test_zoom_above_zero_shrinks_what_is_shown_and_keeps_proportions() -> None:
    picture = np.ones((9, 9))
    (changed,) = augmented(RandomZoom(height_factor=(0.5, 0.5)), picture, n=1)
    assert changed[4].sum() == pytest.approx(9 / 1.5, abs=0.7)
    assert changed[:, 4].sum() == pytest.approx(9 / 1.5, abs=0.7)
    (narrow,) = augmented(
        RandomZoom(height_factor=(0.0, 0.0), width_factor=(0.5, 0.5)), picture, n=1
    )
    assert narrow[:, 4].sum() == pytest.approx(9)


def test_rotation_above_zero_is_counter_clockwise() -> None:
    picture = np.zeros((5, 5))
    picture[2, 4] = 1  # at three o'clock
    (changed,) = augmented(RandomRotation(factor=(0.25, 0.25)), picture, n=1)
    np.testing.assert_allclose(changed, np.rot90(picture), atol=1e-5)


def test_one_seed_governs_weights_and_augmentation() -> None:
    first, again, other = (build(*AUGMENTATION, CONV, seed=seed) for seed in (1, 1, 2))
    answers = [np.asarray(model(PIXELS, training=True)) for model in (first, again, other)]
    np.testing.assert_array_equal(answers[0], answers[1])
    assert not np.array_equal(answers[0], answers[2])
    assert keras_bytes(first) == keras_bytes(again)


def test_keras_file_with_every_layer_loads_without_this_package(tmp_path: Path) -> None:
    residual = Residual(layers=(Conv2D(filters=6, kernel_size=3, strides=2, padding="same"),))
    model = randomised(*AUGMENTATION, CONV, residual, LayerNormalization(), Dense(units=3))
    (tmp_path / "model.keras").write_bytes(keras_bytes(model))
    np.savez(tmp_path / "answers", pixels=PIXELS, answers=model.predict(PIXELS, verbose=0))
    script = (
        "import keras, numpy, sys; data = numpy.load('answers.npz'); "
        "model = keras.models.load_model('model.keras'); "
        "answers = model.predict(data['pixels'], verbose=0); "
        "numpy.testing.assert_allclose(answers, data['answers'], atol=1e-6); "
        "assert 'apple_clf' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True)
