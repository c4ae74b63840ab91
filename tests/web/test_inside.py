import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from explanation.models import PICTURE, convolutional, dense, softmax_regression, write_run
from PIL import Image

from apple_clf.errors import ImageError
from apple_clf.explanation import overview
from apple_clf.images.loading import Loaded
from apple_clf.model.backend import keras
from apple_clf.web.inside import explain_loaded, explain_picture
from apple_clf.web.models import Model, read_served_run

pytestmark = pytest.mark.slow

MAKES = {"dense": dense, "convolutional": convolutional, "no layers": softmax_regression}


def body_of(tmp_path: Path) -> bytes:
    path = tmp_path / "picture.png"
    Image.fromarray(PICTURE[:, :, 0]).save(path)
    return path.read_bytes()


def look(tmp_path: Path, keras_model: keras.Model) -> tuple[Model, dict[str, Any]]:
    model = Model(read_served_run(write_run(tmp_path / "run", keras_model)), number=3)
    return model, explain_picture(model, body_of(tmp_path))


def numbers(text: str) -> Any:
    return np.frombuffer(base64.b64decode(text), np.uint8)


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_answer_pixels_and_logits_are_those_of_prediction(tmp_path: Path, make: Any) -> None:
    model, found = look(tmp_path, make())
    (answer,) = model.answer([body_of(tmp_path)])
    assert found["answer"] == {**answer.as_dict(), "file": None}
    assert found["model"] == 3
    assert numbers(found["pixels"]["data"]).tolist() == PICTURE.ravel().tolist()
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_layers_are_those_that_compute(tmp_path: Path) -> None:
    model, found = look(tmp_path, dense())
    names = [layer["name"] for layer in found["layers"]]
    assert names == ["dense_1", "batch_normalization_3", "dense_4", "output"]
    assert model.network is not None
    activations = model.network.forward(PICTURE[None])
    assert found["layers"][0]["values"] == pytest.approx(activations[2][0], rel=1e-4, abs=1e-6)
    assert found["layers"][-1]["values"] == pytest.approx(found["logits"], rel=1e-4)


def test_pictures_come_as_bytes_on_one_scale(tmp_path: Path) -> None:
    model, found = look(tmp_path, convolutional())
    first = found["layers"][0]
    assert model.network is not None
    maps = np.moveaxis(model.network.forward(PICTURE[None])[2][0], -1, 0)
    sent = numbers(first["maps"]["data"]).reshape(maps.shape)
    assert first["largest"] == pytest.approx(maps.max())
    values = (sent.astype(float) - 128) / 127 * first["largest"]
    assert np.abs(values - maps).max() < first["largest"] / 200
    assert (first["shape"], first["n_units"]) == ([4, 6, 4], 4)


def test_strongest_connections_are_the_largest_products(tmp_path: Path) -> None:
    model, found = look(tmp_path, dense())
    first, last = found["connections"][0], found["connections"][-1]
    assert (first["source"], first["layer"]) == (-1, 0)
    assert (last["source"], last["layer"]) == (2, 3)  # dropout between them passes all on
    layer: Any = model.network.steps[2].layer  # type: ignore[union-attr]  # it has one
    products = PICTURE.reshape(-1, 1) / 255 * layer.kernel
    largest = np.sort(-np.abs(products).ravel())[: overview.N_CONNECTIONS]
    assert [-abs(link[2]) for link in first["links"]] == pytest.approx(largest, rel=1e-3)
    pixel, unit, product = first["links"][0]
    assert product == pytest.approx(products[pixel, unit], rel=1e-3)


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_attribution_adds_up_to_the_change_of_the_logit(tmp_path: Path, make: Any) -> None:
    model, found = look(tmp_path, make())
    attribution = found["attribution"]
    assert attribution["error"] < 0.03
    parts = (numbers(attribution["data"]).astype(float) - 128) / 127 * attribution["largest"]
    assert parts.sum() == pytest.approx(
        attribution["change"], abs=0.05 * abs(attribution["change"]) + attribution["largest"] * 0.2
    )
    assert attribution["class"] == found["answer"]["class"]
    black = np.zeros((1, *PICTURE.shape), np.float32)
    code = model.record.class_names.index(attribution["class"])
    logit = model.network.forward(black)[-1][0, code]  # type: ignore[union-attr]  # it has one
    assert attribution["change"] == pytest.approx(found["logits"][code] - logit, rel=1e-3)


def test_network_too_large_for_the_time_has_no_attribution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "BUDGET", 100)
    _, found = look(tmp_path, dense())
    assert found["attribution"] is None
    assert "too long" in found["notes"][0]


def test_without_layers_the_note_says_why(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", dense())
    run.keras_model.unlink()
    found = explain_picture(Model(read_served_run(run), number=1), body_of(tmp_path))
    assert (found["layers"], found["attribution"], found["connections"]) == (None, None, [])
    assert found["notes"][0].startswith("No layers: ")


def test_steps_of_the_reading_are_those_of_the_picture(tmp_path: Path) -> None:
    model, found = look(tmp_path, softmax_regression())
    assert found["steps"] == []
    steps = ("paper found", "light flattened")
    read = explain_loaded(model, Loaded(PICTURE, None, (0, 0, 1, 1), steps))
    assert read == {**found, "frame": [0, 0, 1, 1], "steps": list(steps)}


def test_no_picture_is_an_error(tmp_path: Path) -> None:
    model = Model(read_served_run(write_run(tmp_path / "run", dense())), number=1)
    with pytest.raises(ImageError):
        explain_picture(model, b"garbage")
