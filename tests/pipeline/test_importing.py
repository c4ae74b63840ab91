import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import ImageFolder

from apple_clf.config.schema import FolderData
from apple_clf.data import load_labelled_folder
from apple_clf.errors import ArtifactError, DataError
from apple_clf.model.backend import keras
from apple_clf.model.keras_file.loading import load_keras_model
from apple_clf.pipeline.importing import import_model
from apple_clf.pipeline.verification import verify
from apple_clf.pipeline.workflow import resume
from apple_clf.prediction.inference import Predictor
from apple_clf.runs import Run, list_runs
from apple_clf.runs.model_record import read_model_record

pytestmark = pytest.mark.slow

L = keras.layers


def save(path: Path, *, units: int = 2, channels: int = 1) -> keras.Model:
    """A model as somebody else might have trained it, with its file."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, channels)),
            L.Conv2D(3, 3, activation="relu"),
            L.Flatten(),
            L.Dense(units, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.save(path)
    return model


Import = Callable[..., Run]


@pytest.fixture
def import_here(tmp_path: Path, image_folder: ImageFolder) -> Import:
    """Imports the file there with pictures of two classes."""
    data = FolderData(path=str(image_folder({"pear": 8, "apple": 8})))

    def call(file: Path, **options: object) -> Run:
        arguments: dict[str, object] = {"data": data, "folder": tmp_path / "runs", "name": "mine"}
        return import_model(file, **{**arguments, **options})  # type: ignore[arg-type] # as given

    return call


def test_imported_model_answers_as_it_did(tmp_path: Path, import_here: Import) -> None:
    model = save(tmp_path / "theirs.keras")
    run = import_here(tmp_path / "theirs.keras")
    predictor = Predictor.load(run)
    split, _ = load_labelled_folder(
        tmp_path / "images", predictor.record.preprocessing, class_names=("apple", "pear")
    )
    expected = model(split.images.astype(np.float32) / 255)
    np.testing.assert_allclose(predictor.predict(split.images), expected, atol=1e-5)
    np.testing.assert_allclose(load_keras_model(run)(split.images), expected, atol=1e-6)


def test_imported_run_is_finished_and_tells_where_it_is_from(
    tmp_path: Path, import_here: Import
) -> None:
    file = tmp_path / "theirs.keras"
    save(file)
    run = import_here(file)
    assert run.is_finished
    assert run.name == "mine-001"
    origin = json.loads(run.imported.read_bytes())
    assert origin["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert origin["file"] == str(file)
    assert json.loads(run.metrics.read_bytes())["training"] is None
    assert not any(path.exists() for path in (run.config, run.resolved, run.history))
    record = read_model_record(run.model_record)
    assert record.class_names == ("apple", "pear")  # the folders' names, sorted
    assert record.temperature == 1
    assert record.preprocessing.resize == "stretch"
    assert record.preprocessing.polarity == "as_is"


def test_what_its_pictures_were_is_recorded(tmp_path: Path, import_here: Import) -> None:
    save(tmp_path / "theirs.keras", channels=3)
    run = import_here(
        tmp_path / "theirs.keras", resize="crop", polarity="auto", scaling=(1 / 127.5, -1.0)
    )
    contract = read_model_record(run.model_record).preprocessing
    assert (contract.shape, contract.resize, contract.polarity) == ((8, 8, 3), "crop", "auto")
    origin = json.loads(run.imported.read_bytes())
    assert origin["scaling"] == {"scale": 1 / 127.5, "offset": -1}
    assert "of -1 to 1, as asked" in origin["notes"][0]


@pytest.mark.parametrize("name", ["model.keras", "model.tflite", "model.json", "metrics.json"])
def test_importing_again_gives_the_same_bytes(
    tmp_path: Path, import_here: Import, name: str
) -> None:
    save(tmp_path / "theirs.keras")
    first, second = (import_here(tmp_path / "theirs.keras").path / name for _ in range(2))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("again", [resume, verify], ids=["resume", "verify"])
def test_imported_run_cannot_be_trained_again(
    tmp_path: Path, import_here: Import, again: Callable[[Run], object]
) -> None:
    save(tmp_path / "theirs.keras")
    run = import_here(tmp_path / "theirs.keras")
    with pytest.raises(ArtifactError, match=r"mine-001: an imported model.*not trained here"):
        again(run)


def test_fault_44_model_of_other_classes_leaves_no_run(tmp_path: Path, import_here: Import) -> None:
    save(tmp_path / "theirs.keras", units=3)
    with pytest.raises(ArtifactError, match=r"theirs\.keras: it tells apart 3 classes.* have 2"):
        import_here(tmp_path / "theirs.keras")
    assert not list_runs(tmp_path / "runs")


def test_fault_42_refused_file_leaves_no_run(tmp_path: Path, import_here: Import) -> None:
    file = tmp_path / "theirs.keras"
    layer = L.Lambda(lambda x: x, output_shape=(8, 8, 1))
    keras.Sequential([keras.Input((8, 8, 1)), layer, L.Flatten(), L.Dense(2)]).save(file)
    with pytest.raises(ArtifactError, match=r"theirs\.keras: keras\.layers\.Lambda"):
        import_here(file)
    assert not list_runs(tmp_path / "runs")


def test_pictures_of_one_class_leave_no_run(tmp_path: Path, import_here: Import) -> None:
    save(tmp_path / "theirs.keras")
    (tmp_path / "one" / "apple").mkdir(parents=True)
    with pytest.raises((DataError, ArtifactError)):
        import_here(tmp_path / "theirs.keras", data=FolderData(path=str(tmp_path / "one")))
    assert not list_runs(tmp_path / "runs")
