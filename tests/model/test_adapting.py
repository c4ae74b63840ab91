from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from apple_clf.errors import ArtifactError
from apple_clf.model.adapting import Adapted, Scaling, adapt
from apple_clf.model.backend import keras
from apple_clf.model.building import OUTPUT_LAYER
from apple_clf.model.files import keras_bytes, litert_bytes

L = keras.layers
PIXELS = np.random.default_rng(0).integers(256, size=(7, 6, 6, 1), dtype=np.uint8)
UNIT = PIXELS.astype(np.float32) / 255


def sequential(*layers: Any, shape: tuple[int, ...] = (6, 6, 1), dtype: str = "float32") -> Any:
    """A model whose biases are no zeros."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input(shape, dtype=dtype), *layers])
    rng = np.random.default_rng(2)
    model.set_weights([w + rng.normal(0, 0.1, w.shape) for w in model.get_weights()])
    return model


def softmax(logits: Any) -> Any:
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits))


def with_a_model_inside() -> Any:
    image = keras.Input((6, 6, 1))
    features = sequential(L.Conv2D(2, 3), L.Flatten())(image)
    return keras.Model(image, L.Dense(2, activation="softmax")(L.Dropout(0.5)(features)))


CASES: dict[str, tuple[Callable[[], Any], Any, Callable[[Any], Any]]] = {
    "flat, as in the blog": (
        lambda: sequential(L.Dense(8, "relu"), L.Dense(2, "softmax"), shape=(36,)),
        UNIT.reshape(7, 36),
        np.asarray,
    ),
    "a single layer": (
        lambda: sequential(L.Dense(3, "softmax"), shape=(36,)),
        UNIT.reshape(7, 36),
        np.asarray,
    ),
    "no channels": (
        lambda: sequential(L.Flatten(), L.Dense(2), shape=(6, 6)),
        UNIT[..., 0],
        softmax,
    ),
    "without bias": (lambda: sequential(L.Flatten(), L.Dense(2, use_bias=False)), UNIT, softmax),
    "softmax of its own": (
        lambda: sequential(L.Flatten(), L.Dense(2), L.Softmax()),
        UNIT,
        np.asarray,
    ),
    "softmax of no dense layer": (
        lambda: sequential(L.Conv2D(3, 3), L.GlobalAveragePooling2D(), L.Activation("softmax")),
        UNIT,
        np.asarray,
    ),
    "softmax of a dense layer with an activation": (
        lambda: sequential(L.Flatten(), L.Dense(2, "tanh"), L.Softmax()),
        UNIT,
        np.asarray,
    ),
    "one sigmoid": (
        lambda: sequential(L.Flatten(), L.Dense(1, "sigmoid")),
        UNIT,
        lambda p: np.concatenate([1 - p, p], axis=1),
    ),
    "one logit": (
        lambda: sequential(L.Flatten(), L.Dense(1)),
        UNIT,
        lambda z: softmax(np.concatenate([np.zeros_like(z), z], axis=1)),
    ),
    "rescales by itself": (
        lambda: sequential(L.Rescaling(1 / 127.5, -1), L.Flatten(), L.Dense(2, "softmax")),
        PIXELS.astype(np.float32),
        np.asarray,
    ),
    "takes bytes": (
        lambda: sequential(L.Rescaling(1 / 255), L.Flatten(), L.Dense(2, "softmax"), dtype="uint8"),
        PIXELS,
        np.asarray,
    ),
    "augments": (
        lambda: sequential(L.RandomInvert(1.0, (0, 1)), L.Flatten(), L.Dense(2, "softmax")),
        UNIT,
        np.asarray,
    ),
    "a model inside": (with_a_model_inside, UNIT, np.asarray),
}


@pytest.mark.parametrize(("make", "images", "expected"), CASES.values(), ids=CASES)
def test_adapted_model_answers_as_the_given_one(
    make: Callable[[], Any], images: Any, expected: Callable[[Any], Any]
) -> None:
    model = make()
    wanted = expected(model(images, training=False).numpy())
    adapted = adapt(model, n_classes=wanted.shape[1])
    assert adapted.input_shape == (6, 6, 1)
    np.testing.assert_allclose(adapted.model(PIXELS, training=False), wanted, atol=1e-6)


def test_adapted_model_can_be_saved_and_converted_like_any_other() -> None:
    model = adapt(sequential(L.RandomInvert(1.0), L.Flatten(), L.Dense(2)), n_classes=2).model
    assert model.get_layer(OUTPUT_LAYER).activation.__name__ == "softmax"
    assert keras_bytes(model)
    interpreter = Interpreter(model_content=litert_bytes(model))
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], PIXELS.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], PIXELS)
    interpreter.invoke()
    logits = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(softmax(logits), model(PIXELS, training=False), atol=1e-5)


def _adapt(*layers: Any, shape: tuple[int, ...] = (6, 6, 1), **options: Any) -> Adapted:
    return adapt(sequential(*layers, L.Flatten(), L.Dense(2), shape=shape), n_classes=2, **options)


@pytest.mark.parametrize(
    ("adapted", "scaling", "said"),
    [
        pytest.param(lambda: _adapt(), Scaling(1 / 255), "of 0 to 1, a guess", id="guess"),
        pytest.param(
            lambda: _adapt(L.Rescaling(0.1)), Scaling(1), "of 0 to 255, since", id="rescaling"
        ),
        pytest.param(
            lambda: _adapt(L.Normalization(mean=1.0, variance=1.0)),
            Scaling(1),
            "of 0 to 255, since",
            id="normalization",
        ),
        pytest.param(
            lambda: _adapt(scaling=Scaling(1 / 127.5, -1)),
            Scaling(1 / 127.5, -1),
            "of -1 to 1, as asked",
            id="asked",
        ),
    ],
)
def test_pixels_are_scaled_as_the_model_needs_and_it_is_said(
    adapted: Callable[[], Adapted], scaling: Scaling, said: str
) -> None:
    result = adapted()
    assert result.scaling == scaling
    assert said in result.notes[0]


@pytest.mark.parametrize(
    ("shape", "image"),
    [((49,), (7, 7, 1)), ((75,), (5, 5, 3)), ((4, 5), (4, 5, 1)), ((4, 5, 3), (4, 5, 3))],
    ids=str,
)
def test_input_is_read_as_an_image(shape: tuple[int, ...], image: tuple[int, int, int]) -> None:
    adapted = _adapt(shape=shape)
    assert adapted.input_shape == image
    assert adapted.model.input_shape[1:] == image


def _used_twice() -> Any:
    image = keras.Input((6, 6, 1))
    dense = L.Dense(2)
    x = L.Flatten()(image)
    return keras.Model(image, dense(L.Dense(2)(dense(L.Dense(2)(dense(x[:, :2]))))))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(
            lambda: sequential(L.Flatten(), L.Dense(3, "softmax")), "3 classes, but", id="k"
        ),
        pytest.param(lambda: sequential(L.Flatten(), L.Dense(1, "softmax")), "2 classes", id="one"),
        pytest.param(
            lambda: sequential(L.Flatten(), L.Dense(4, "sigmoid")), "activation sigm", id="s"
        ),
        pytest.param(
            lambda: sequential(L.Flatten(), L.Dense(4, "relu")), "activation relu", id="relu"
        ),
        pytest.param(
            lambda: sequential(L.Flatten(), L.Dense(4), L.Dropout(0.1)), "ends in Dro", id="d"
        ),
        pytest.param(
            lambda: sequential(L.Flatten(), L.Dense(4), L.Softmax(0)), "ends in Soft", id="ax"
        ),
        pytest.param(_used_twice, "ends in a layer used twice", id="layer used twice"),
        pytest.param(lambda: sequential(L.Conv2D(4, 6)), "one row of numbers", id="map"),
        pytest.param(lambda: sequential(L.Dense(4), shape=(35,)), "not an image", id="no square"),
        pytest.param(
            lambda: sequential(L.Flatten(), L.Dense(4), shape=(6, 6, 4)),
            "not an image",
            id="4 channels",
        ),
        pytest.param(
            lambda: sequential(L.GlobalMaxPooling2D(), L.Dense(4), shape=(1025, 6, 1)),
            "1024",
            id="big",
        ),
        pytest.param(
            lambda: sequential(L.Flatten(), L.Dense(4), dtype="int32"), "input is int32", id="int32"
        ),
    ],
)
def test_fault_44_model_that_gives_no_answer_about_the_classes_is_refused(
    make: Callable[[], Any], reason: str
) -> None:
    with pytest.raises(ArtifactError, match=reason):
        adapt(make(), n_classes=4)


def test_bytes_cannot_be_scaled() -> None:
    model = sequential(L.Rescaling(1.0), L.Flatten(), L.Dense(2), dtype="uint8")
    with pytest.raises(ArtifactError, match="Leave the scale out"):
        adapt(model, n_classes=2, scaling=Scaling())
