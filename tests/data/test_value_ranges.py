"""Gray pictures of fewer bits in files of 16, from the folder to the answer."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from apple_clf.config import parse_experiment
from apple_clf.config.schema import FolderData
from apple_clf.data import Dataset, load_dataset, load_labelled_folder
from apple_clf.images import loading
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.runs import Run
from apple_clf.runs.model_record import read_model_record

CONTRACT = Preprocessing(image_size=(8, 8), resize="stretch", polarity="as_is", reader="pixels")
Scaled = Callable[..., Path]


@pytest.fixture
def scaled(tmp_path: Path) -> Scaled:
    """Writes pictures of brighter squares and darker ones, of values up to a largest one."""

    def write(name: str, largest: int, *, dtype: type = np.uint16, n: int = 12) -> Path:
        rng = np.random.default_rng(0)
        for label, shade in (("bright", 0.8), ("dark", 0.3)):
            folder = tmp_path / name / label
            folder.mkdir(parents=True)
            for i in range(n):
                shares = np.clip(rng.normal(shade, 0.1, (8, 8)), 0, 1)
                shares[0, 0] = 1.0
                values: Any = np.rint(np.rint(shares * 255) * largest / 255).astype(dtype)
                Image.fromarray(values).save(folder / f"{i}.{('png', 'tif')[i % 2]}")
        return tmp_path / name

    return write


def load(folder: Path, contract: Preprocessing = CONTRACT) -> Dataset:
    return load_dataset(FolderData(path=str(folder)), contract, seed=0)


@pytest.mark.parametrize("largest", [255, 1023, 4095, 16383, 65535])
def test_pictures_of_any_range_become_those_of_8_bits(scaled: Scaled, largest: int) -> None:
    eight = load(scaled("eight", 255, dtype=np.uint8))
    folder = scaled("deep", largest)
    for _ in ("decoded", "from the cache"):
        deep = load(folder)
        assert deep.preprocessing == replace(CONTRACT, max_value=largest)
        np.testing.assert_array_equal(deep.train.images, eight.train.images)
        np.testing.assert_array_equal(deep.test.images, eight.test.images)


@pytest.mark.parametrize(
    ("largest", "found"), [(200, 255), (256, 1023), (3000, 4095), (4096, 16383), (16384, 65535)]
)
def test_range_is_the_smallest_that_all_files_fit(scaled: Scaled, largest: int, found: int) -> None:
    assert load(scaled("deep", largest)).preprocessing.max_value == found


def test_one_file_of_full_range_decides_for_all(scaled: Scaled) -> None:
    folder = scaled("deep", 4095)
    Image.fromarray(np.full((8, 8), 65535, np.uint16)).save(folder / "bright" / "white.png")
    dataset = load(folder)
    assert dataset.preprocessing.max_value == 65535
    assert np.median(dataset.train.images) < 16


def test_pictures_of_8_bits_leave_the_range_full_and_are_decoded_once(scaled: Scaled) -> None:
    dataset = load(scaled("eight", 255, dtype=np.uint8))
    assert (dataset.preprocessing.max_value, dataset.n_decoded) == (65535, 24)


def test_range_that_was_given_is_kept(scaled: Scaled) -> None:
    dataset = load(scaled("deep", 4095), replace(CONTRACT, max_value=8190))
    assert dataset.preprocessing.max_value == 8190
    assert dataset.train.images.max() == 128


@pytest.mark.parametrize("white", [None, 65535])
def test_labelled_folder_is_read_in_the_range_of_the_model_and_clipping_is_told(
    scaled: Scaled, white: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    folder = scaled("deep", 4095)
    names = ("bright", "dark")
    contract = replace(CONTRACT, max_value=white)
    full, _ = load_labelled_folder(folder, contract, class_names=names)
    assert full.images.max() == 15
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        clipped, _ = load_labelled_folder(
            folder, replace(CONTRACT, max_value=1023), class_names=names
        )
    assert clipped.images.max() == 255
    assert "24 images with values above 1023, the model's white" in caplog.text


@pytest.mark.slow
def test_model_of_12_bit_pictures_answers_as_that_of_the_same_in_16_bits(
    scaled: Scaled, tmp_path: Path
) -> None:
    from apple_clf.pipeline.verification import verify
    from apple_clf.pipeline.workflow import resume, train
    from apple_clf.prediction.inference import Predictor

    answers, metrics = [], []
    for name, largest in (("twelve", 4095), ("sixteen", 65535)):
        folder = scaled(name, largest, n=30)
        source = (
            f"name: {name}\ndata: {{source: folder, path: {folder}}}\n"
            "preprocessing: {image_size: [8, 8], resize: stretch, polarity: as_is}\n"
            "model: {units: [4]}\ntraining: {epochs: 8, learning_rate: 0.01}\n"
        )
        experiment = parse_experiment(source, filename=name)
        run = train(experiment, source=source.encode(), folder=tmp_path / "runs")
        assert read_model_record(run.model_record).preprocessing.max_value == largest
        assert "max_value: null" in run.resolved.read_text()
        assert json.loads(run.dataset.read_bytes())["max_value"] == largest
        metrics.append(json.loads(run.metrics.read_bytes())["metrics"])
        files = sorted(map(str, folder.glob("*/*.*")))
        found = Predictor.load(run).answer(list(files))
        answers.append([(answer.class_name, answer.probabilities) for answer in found])
        (alone,) = Predictor.load(run).answer([files[0]])
        assert alone.class_name == found[0].class_name
        assert {answer.note for answer in found} == {None}
    assert metrics[0] == metrics[1]
    assert answers[0] == answers[1]
    assert {class_name for class_name, _ in answers[0]} == {"bright", "dark"}
    twelve = Run(tmp_path / "runs" / "twelve-001")
    assert verify(twelve).identical
    model = twelve.litert_model.read_bytes(), twelve.model_record.read_bytes()
    twelve.metrics.unlink()
    twelve.model_record.unlink()
    twelve.litert_model.unlink()
    resume(twelve)
    assert (twelve.litert_model.read_bytes(), twelve.model_record.read_bytes()) == model
    (bright,) = Predictor.load(twelve).answer([str(Path(tmp_path / "sixteen/bright/0.png"))])
    assert bright.note == "values up to 65535 were clipped to 4095, the model's white"


def test_full_range_gives_the_bytes_of_before(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(65536, size=(40, 30), dtype=np.uint16)
    for kind in ("png", "tif"):
        path = tmp_path / f"full.{kind}"
        Image.fromarray(values).save(path)
        for white in (None, 65535):
            contract = replace(CONTRACT, max_value=white)
            read = loading.read(path, contract)
            np.testing.assert_array_equal(read.pixels, values >> 8)
            assert (read.largest, read.note) == (int(values.max()), None)


@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
def test_values_are_rounded_and_those_above_white_clipped_with_a_note(
    tmp_path: Path, dtype: type
) -> None:
    values: Any = np.arange(0, 5000, 7).reshape(5, -1).astype(dtype)
    path = tmp_path / "deep.tif"
    Image.fromarray(values).save(path)
    read = loading.read(path, replace(CONTRACT, max_value=4095))
    expected = np.floor(np.minimum(values, 4095) / 4095 * 255 + 0.5)
    np.testing.assert_array_equal(read.pixels, expected)
    assert read.note == f"values up to {values.max()} were clipped to 4095, the model's white"
