import json
import shutil
from pathlib import Path

import pytest
from conftest import ImageFolder

from apple_clf.config.schema import FolderData
from apple_clf.data.recorded_data import load_recorded_data
from apple_clf.errors import ArtifactError
from apple_clf.pipeline.importing import import_model


def test_data_of_an_imported_model_are_those_it_was_imported_with(
    image_folder: ImageFolder, tmp_path: Path
) -> None:
    from apple_clf.model.backend import keras

    folder = image_folder({"apple": 20, "pear": 20})
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(2, activation="softmax"))
    model.save(tmp_path / "stranger.keras")
    run = import_model(
        tmp_path / "stranger.keras",
        data=FolderData(path=str(folder)),
        folder=tmp_path / "runs",
        name="stranger",
    )
    dataset = load_recorded_data(run)
    assert dataset.fingerprint == json.loads(run.dataset.read_bytes())["fingerprint"]
    shutil.rmtree(folder / "pear")
    shutil.copytree(folder / "apple", folder / "pear")
    with pytest.raises(ArtifactError, match="changed since the training"):
        load_recorded_data(run)
    run.imported.write_text("{}")
    with pytest.raises(ArtifactError, match="the record of its data cannot be read"):
        load_recorded_data(run)
