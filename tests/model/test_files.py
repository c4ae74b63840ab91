import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from apple_clf.config.schema import Dense, ModelConfig
from apple_clf.model.appearance import appearances
from apple_clf.model.backend import keras
from apple_clf.model.building import build_model
from apple_clf.model.files import litert_bytes
from apple_clf.prediction.decision.novelty import fit_gaussian

pytestmark = pytest.mark.slow

SHAPE = (12, 12, 1)
RNG = np.random.default_rng(0)
PIXELS = RNG.integers(256, size=(40, *SHAPE), dtype=np.uint8)
NOVELTY = fit_gaussian(appearances(PIXELS))


def make_model(activation: str = "relu") -> keras.Model:
    keras.utils.set_random_seed(1)
    layers = (Dense(units=5, activation=activation),)  # type: ignore[arg-type]
    return build_model(ModelConfig(layers=layers), input_shape=SHAPE, n_classes=3)


def outputs(content: bytes, pixels: np.ndarray) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = Interpreter(model_content=content).get_signature_runner()(
        pixels=pixels
    )
    return found


@pytest.mark.parametrize("activation", ["relu", "silu"])  # silu brings a gradient of its own
def test_outputs_are_found_by_their_names(activation: str) -> None:
    model = make_model(activation)
    plain, scoring = litert_bytes(model), litert_bytes(model, novelty=NOVELTY)
    assert list(outputs(plain, PIXELS)) == ["logits"]
    both = outputs(scoring, PIXELS)
    assert sorted(both) == ["logits", "novelty"]
    expected = model.predict(PIXELS, verbose=0)
    np.testing.assert_allclose(keras.ops.softmax(both["logits"]), expected, atol=1e-5)


def test_novelty_is_the_distance_of_a_pictures_appearance() -> None:
    blank = np.zeros((1, *SHAPE), np.uint8)
    pixels = np.concatenate([PIXELS, blank, blank + 255])
    found = outputs(litert_bytes(make_model(), novelty=NOVELTY), pixels)["novelty"]
    np.testing.assert_allclose(found, NOVELTY.distance(appearances(pixels)), rtol=1e-3)
    assert found[-2:].min() > 10 * found[:-2].max()


def test_novelty_does_not_change_the_logits_and_costs_little() -> None:
    model = make_model()
    plain, scoring = litert_bytes(model), litert_bytes(model, novelty=NOVELTY)
    np.testing.assert_allclose(
        outputs(plain, PIXELS)["logits"], outputs(scoring, PIXELS)["logits"], atol=1e-6
    )
    assert len(scoring) < len(plain) + 30_000


def test_file_with_novelty_is_the_same_bytes_for_the_same_weights() -> None:
    first, second = (litert_bytes(make_model(), novelty=NOVELTY) for _ in range(2))
    assert first == second
