import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from apple_clf.data.recorded_data import load_recorded_data
from apple_clf.errors import ArtifactError, ConfigError, DataError
from apple_clf.exporting.agreement import MAX_DIFFERENCE
from apple_clf.exporting.forms import FORMS
from apple_clf.exporting.writing import default_target, export
from apple_clf.prediction.inference import Predictor
from apple_clf.runs import Run
from exporting.conftest import Changed

pytestmark = pytest.mark.slow

INTEGERS = {"litert-int8", "c-header"}


@pytest.mark.parametrize("format_", FORMS)
def test_export_answers_like_the_run_it_is_from(run: Run, tmp_path: Path, format_: str) -> None:
    target = tmp_path / default_target(run, format_)
    exported = export(run, format_, target=target)
    found = exported.agreement
    assert (found.n_images, found.images, found.note) == (60, "test images", None)
    assert exported.path == target
    pixels = load_recorded_data(run).test.images
    predictor = Predictor.load(run)
    expected = predictor.predict(pixels)
    answers = FORMS[format_].open(target)(pixels)
    assert answers.shape == expected.shape
    assert predictor.record.temperature != 1
    if format_ in INTEGERS:
        np.testing.assert_allclose(answers, expected, atol=0.1)
        assert found.loss <= found.one_image
    else:
        np.testing.assert_allclose(answers, expected, atol=2 * MAX_DIFFERENCE)
        assert found.same_answers == 60
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("format_", [name for name in FORMS if name != "saved_model"])
def test_same_run_gives_the_same_bytes(run: Run, tmp_path: Path, format_: str) -> None:
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
        export(run, format_, target=folder / "model")
    first, second = ((folder / "model").read_bytes() for folder in folders)
    assert first == second


def test_names_and_preprocessing_go_with_every_export(run: Run, tmp_path: Path) -> None:
    import onnx

    targets = {name: tmp_path / name for name in ("litert", "onnx", "saved_model", "keras")}
    for format_, target in targets.items():
        export(run, format_, target=target)
    with zipfile.ZipFile(targets["litert"]) as archive:
        assert archive.read("labels.txt") == b"apple\nnot_apple\n"
        card = archive.read("apple-clf.json").decode()
    props = {prop.key: prop.value for prop in onnx.load(targets["onnx"]).metadata_props}
    assert props == {"class_names": '["apple", "not_apple"]', "apple_clf": card}
    assert (targets["saved_model"] / "apple-clf.json").read_text() == card
    with zipfile.ZipFile(targets["keras"]) as archive:
        assert json.loads(archive.read("metadata.json"))["apple_clf"] == json.loads(card)
    content = json.loads(card)
    assert content["input"] == {"name": "pixels", "dtype": "uint8", "shape": [None, 12, 12, 1]}
    assert content["preprocessing"]["resize"] == "center"
    assert content["class_names"] == ["apple", "not_apple"]


def test_what_answers_otherwise_is_not_kept_and_the_old_export_stays(
    run: Run, changed: Changed, tmp_path: Path
) -> None:
    import tensorflow as tf

    interpreter = tf.lite.TFLiteConverter.from_concrete_functions(
        [
            tf.function(
                lambda pixels: {"logits": tf.cast(pixels[:, 0, :2, 0], tf.float32)}
            ).get_concrete_function(tf.TensorSpec((None, 12, 12, 1), tf.uint8, name="pixels"))
        ],
        tf.Module(),
    )
    other = interpreter.convert()
    wrong = changed(
        "model.json", litert_sha256=hashlib.sha256(other).hexdigest(), novelty_threshold=None
    )
    wrong.litert_model.write_bytes(other)
    target = tmp_path / "old.zip"
    target.write_bytes(b"old")
    with pytest.raises(ArtifactError, match="not kept: a probability differs from that of Keras"):
        export(wrong, "bundle", target=target, replace=True)
    assert target.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["changed-001", "old.zip"]


@pytest.mark.parametrize("format_", ["bundle", "saved_model"])
def test_export_that_is_there_is_replaced_only_if_asked(
    run: Run, tmp_path: Path, format_: str
) -> None:
    target = tmp_path / "model"
    for replace in (False, True):
        export(run, format_, target=target, replace=replace)
    with pytest.raises(ConfigError, match="Choose another name, or add --force"):
        export(run, format_, target=target)
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("format_", ["bundle", "saved_model"])
def test_folder_of_something_else_is_never_replaced(run: Run, tmp_path: Path, format_: str) -> None:
    letter = tmp_path / "precious" / "letter.txt"
    letter.parent.mkdir()
    letter.write_text("dear")
    with pytest.raises(ConfigError, match="Choose another name"):
        export(run, format_, target=letter.parent, replace=True)
    assert letter.read_text() == "dear"


def test_without_its_data_a_run_is_compared_on_the_pictures_it_kept(
    changed: Changed, tmp_path: Path
) -> None:
    run = changed("dataset.json", fingerprint="0" * 64)
    found = export(run, "litert", target=tmp_path / "a").agreement
    assert found.note == (
        "The run's own images are not there (the data have changed since the training)."
    )
    assert (found.images, found.balanced_accuracy) == ("of them that it kept", None)
    assert found.n_images > 10
    run.gallery.unlink()
    found = export(run, "litert", target=tmp_path / "b").agreement
    assert (found.n_images, found.images) == (256, "pictures of noise")


@pytest.mark.parametrize("format_", sorted(INTEGERS))
def test_integers_are_calibrated_on_the_training_images_or_not_at_all(
    changed: Changed, tmp_path: Path, format_: str
) -> None:
    run = changed("dataset.json", fingerprint="0" * 64)
    with pytest.raises(DataError, match="calibrated on the training images"):
        export(run, format_, target=tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_run_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="not a finished run"):
        export(Run(tmp_path), "litert", target=tmp_path / "a")
