import io
import zipfile
from typing import Literal

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from apple_clf.config.schema import ModelConfig
from apple_clf.config.schema.layers import Conv2D, Dense
from apple_clf.errors import ArtifactError
from apple_clf.exporting.litert import (
    float_litert,
    int8_litert,
    litert_answers,
    output_quantization,
    with_files,
)
from apple_clf.model.building import build_model

SHAPE = (8, 8, 1)
PIXELS = np.random.default_rng(0).integers(40, 200, (300, *SHAPE), dtype=np.uint8)
MODEL = build_model(
    ModelConfig(layers=(Conv2D(filters=3, kernel_size=3), Dense(units=5, activation="relu"))),
    input_shape=SHAPE,
    n_classes=3,
)


def test_temperature_is_in_the_graph() -> None:
    raw = MODEL(PIXELS, training=False).numpy()
    cooled = litert_answers(float_litert(MODEL, temperature=2.0))(PIXELS)
    np.testing.assert_allclose(cooled, raw**0.5 / (raw**0.5).sum(1, keepdims=True), atol=1e-5)


def test_byte_of_a_pixel_is_its_own_quantised_value_and_images_are_left_alone() -> None:
    before = PIXELS.copy()
    content = int8_litert(MODEL, temperature=1.0, training_images=PIXELS)
    np.testing.assert_array_equal(PIXELS, before)
    (pixels,) = Interpreter(model_content=content).get_input_details()
    assert (pixels["dtype"], pixels["quantization"]) == (np.uint8, (1.0, 0))
    assert output_quantization(content) == (1 / 256, 0)
    raw = MODEL(PIXELS, training=False).numpy()
    np.testing.assert_allclose(litert_answers(content)(PIXELS), raw, atol=0.05)


def test_integers_are_all_that_is_computed_with() -> None:
    content = int8_litert(MODEL, temperature=1.0, training_images=PIXELS)
    interpreter = Interpreter(model_content=content)
    kinds = {np.dtype(tensor["dtype"]).kind for tensor in interpreter.get_tensor_details()}
    assert kinds <= {"i", "u"}


@pytest.mark.parametrize("activation", ["sparsemax", "elu"])
def test_network_that_integers_cannot_compute_is_refused(
    activation: Literal["sparsemax", "elu"],
) -> None:
    model = build_model(
        ModelConfig(layers=(Dense(units=4, activation=activation),)),
        input_shape=SHAPE,
        n_classes=2,
    )
    with pytest.raises(ArtifactError, match="with integers alone"):
        int8_litert(model, temperature=1.0, training_images=PIXELS)


def test_texts_lie_behind_the_model_and_change_no_answer() -> None:
    content = float_litert(MODEL, temperature=1.0)
    longer = with_files(content, {"labels.txt": "a\nb\n"})
    assert longer.startswith(content)
    with zipfile.ZipFile(io.BytesIO(longer)) as archive:
        assert archive.testzip() is None
        assert archive.read("labels.txt") == b"a\nb\n"
    np.testing.assert_array_equal(litert_answers(longer)(PIXELS), litert_answers(content)(PIXELS))
