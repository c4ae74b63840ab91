import json
from pathlib import Path

import numpy as np
import pytest
from conftest import ImageFolder

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.config import dump_experiment, parse_experiment
from apple_clf.config.schema import Experiment
from apple_clf.data import Dataset, Split, load_dataset
from apple_clf.errors import ArtifactError, DataError
from apple_clf.explanation.nearest import CHUNK, load_training_data, nearest_images
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.runs import Run

EXPERIMENT = """\
data: {{source: folder, path: '{}', validation_split: 0.25, test_split: 0.25}}
preprocessing: {{image_size: [8, 8], resize: stretch}}
"""


def means(images: UInt8Array) -> FloatArray:
    features: FloatArray = images.astype(np.float64).mean(axis=(1, 2))
    return features


def test_nearest_are_those_of_least_distance_with_their_names() -> None:
    n = CHUNK + 30
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(n, 4, 4, 1), dtype=np.uint8)
    train = Split(images, rng.integers(2, size=n), [f"{i}.png" for i in range(n)])
    data = Dataset(
        "folder",
        ("apple", "pear"),
        "apple",
        train,
        train.take(np.arange(0)),
        train,
        preprocessing=Preprocessing(),
    )
    picture = rng.integers(256, size=(4, 4, 1), dtype=np.uint8)
    found = nearest_images(picture, data, features=means)
    distances = np.abs(means(images) - picture.mean())[:, 0]
    expected = np.argsort(distances, kind="stable")[:8]
    assert [near.name for near in found.neighbours] == [f"{i}.png" for i in expected]
    for near, i in zip(found.neighbours, expected, strict=True):
        assert near.distance == pytest.approx(distances[i])
        assert near.class_name == data.class_names[train.labels[i]]
        np.testing.assert_array_equal(near.pixels, images[i])
    assert found.median_distance == pytest.approx(np.median(distances))
    assert found.n_images == n


def test_picture_that_was_trained_on_is_its_own_neighbour() -> None:
    images = np.random.default_rng(1).integers(256, size=(5, 4, 4, 1), dtype=np.uint8)
    split = Split(images, np.zeros(5, np.int64), list("abcde"))
    data = Dataset(
        "folder", ("apple", "pear"), "apple", split, split, split, preprocessing=Preprocessing()
    )
    nearest = nearest_images(images[3], data, features=means).neighbours[0]
    assert (nearest.name, nearest.distance) == ("d", 0)


@pytest.fixture
def folder(image_folder: ImageFolder) -> Path:
    return image_folder({"apple": 8, "pear": 8})


@pytest.fixture
def experiment(folder: Path) -> Experiment:
    return parse_experiment(EXPERIMENT.format(folder), filename="test")


@pytest.fixture
def run(experiment: Experiment, tmp_path: Path) -> Run:
    run = Run(tmp_path / "tiny-001")
    run.path.mkdir()
    run.resolved.write_text(dump_experiment(experiment))
    data = load_dataset(experiment.data, experiment.preprocessing, seed=experiment.seed)
    run.dataset.write_text(json.dumps({"fingerprint": data.fingerprint}))
    return run


def test_training_data_are_those_of_the_run(run: Run, experiment: Experiment) -> None:
    data = load_dataset(experiment.data, experiment.preprocessing, seed=experiment.seed)
    assert load_training_data(run).train.names == data.train.names


def test_data_that_have_changed_are_no_training_data(run: Run, folder: Path) -> None:
    (folder / "pear" / "000.png").write_bytes((folder / "apple" / "001.png").read_bytes())
    with pytest.raises(ArtifactError, match="changed since"):
        load_training_data(run)


def test_data_that_are_gone_are_told(run: Run, folder: Path, tmp_path: Path) -> None:
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="no such folder"):
        load_training_data(run)


def test_imported_model_has_no_training_data(run: Run) -> None:
    run.imported.write_text("{}")
    with pytest.raises(ArtifactError, match="trained elsewhere"):
        load_training_data(run)


@pytest.mark.parametrize("content", ["", "[]", "{}"])
def test_damaged_record_of_the_data_is_told(run: Run, content: str) -> None:
    run.dataset.write_text(content)
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_training_data(run)
