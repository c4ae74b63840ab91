"""Every data source, from its YAML to its images: a new one is added to `EXAMPLES` here."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from apple_clf.cli.fetching import PublicSource
from apple_clf.config import parse_experiment
from apple_clf.config.schema.data import SOURCES, AnyData, FetchedData, GeneratedData
from apple_clf.data import SPLITS, load_dataset
from apple_clf.data.fetching.fetched import MANIFEST, _request, licence
from apple_clf.images.preprocessing import Preprocessing

PREPROCESSING = Preprocessing(image_size=(8, 8), resize="stretch", polarity="as_is")
DOCS = (Path(__file__).parents[2] / "docs" / "config.md").read_text(encoding="utf-8")


def write_folder(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("apple", "pear"):
        (folder / name).mkdir(parents=True)
        for i in range(10):
            pixels = rng.integers(0, 256, (8, 8), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")


def of_samples(source: str) -> Callable[[Path], dict[str, object]]:
    counts = {"train_samples": 6, "validation_samples": 4, "test_samples": 4}
    return lambda tmp_path: {"source": source, **counts}


def of_folder(tmp_path: Path) -> dict[str, object]:
    write_folder(tmp_path / "folder")
    return {"source": "folder", "path": str(tmp_path / "folder")}


def of_archive(tmp_path: Path) -> dict[str, object]:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 8, 8), np.uint8)
    np.savez(tmp_path / "data.npz", x=pixels, y=np.arange(20) % 2)
    return {"source": "npz", "path": str(tmp_path / "data.npz")}


def of_download(source: str) -> Callable[[Path], dict[str, object]]:
    """A folder as `data fetch` leaves it."""

    def make(tmp_path: Path) -> dict[str, object]:
        folder = tmp_path / source
        write_folder(folder)
        keys: dict[str, object] = {
            "source": source,
            "path": str(folder),
            "classes": ["apple", "pear"],
        }
        request = _request(parsed(keys))  # type: ignore[arg-type]  # the caller names such a source
        (folder / MANIFEST).write_text(json.dumps({"request": request}))
        return keys

    return make


EXAMPLES: dict[str, Callable[[Path], dict[str, object]]] = {
    "noise": of_samples("noise"),
    "simulated": of_samples("simulated"),
    "folder": of_folder,
    "npz": of_archive,
    "quickdraw": of_download("quickdraw"),
    "cifar100": of_download("cifar100"),
}


def parsed(keys: dict[str, object]) -> AnyData:
    return parse_experiment(json.dumps({"data": keys}), filename="test").data


def test_every_source_has_an_example() -> None:
    assert EXAMPLES.keys() == SOURCES.keys()


@pytest.mark.parametrize("source", SOURCES)
def test_source_is_checked_loaded_and_recorded_by_its_name(source: str, tmp_path: Path) -> None:
    config = parsed(EXAMPLES[source](tmp_path))
    assert type(config) is SOURCES[source]
    dataset = load_dataset(config, PREPROCESSING, seed=1)
    assert dataset.source == source == dataset.as_dict()["source"]
    assert all(len(getattr(dataset, name)) for name in SPLITS)
    assert dataset.train.images.shape[1:] == (8, 8, 1)
    again = load_dataset(config, PREPROCESSING, seed=1)
    assert again.fingerprint == dataset.fingerprint


@pytest.mark.parametrize("source", SOURCES)
def test_names_are_files_where_the_record_says_so(source: str, tmp_path: Path) -> None:
    dataset = load_dataset(parsed(EXAMPLES[source](tmp_path)), PREPROCESSING, seed=1)
    are_files = all(Path(name).is_file() for name in dataset.train.names)
    assert are_files == SOURCES[source].names_are_files


@pytest.mark.parametrize("source", SOURCES)
def test_own_validation_split_is_taken_where_the_record_says_so(
    source: str, tmp_path: Path
) -> None:
    keys = EXAMPLES[source](tmp_path)
    if not SOURCES[source].may_bring_validation:
        return
    folder = Path(str(keys["path"]))
    for name in ("train", "validation"):
        shutil.copytree(folder, tmp_path / "split" / name)
    keys |= {"path": str(tmp_path / "split"), "validation_split": 0, "duplicates": "allow"}
    assert len(load_dataset(parsed(keys), PREPROCESSING, seed=1).validation) == 20


@pytest.mark.parametrize("source", SOURCES)
def test_docs_have_the_keys_of_every_source(source: str) -> None:
    assert f"\n## data: {source}\n" in DOCS


def test_command_line_fetches_what_can_be_fetched() -> None:
    names = {record.model_fields["source"].default for record in get_args(FetchedData)}
    assert names == set(PublicSource)


@pytest.mark.parametrize("source", sorted(PublicSource))
def test_what_is_fetched_has_a_licence(source: str, tmp_path: Path) -> None:
    config = parsed(EXAMPLES[source](tmp_path))
    assert isinstance(config, FetchedData)
    assert "Licence: " in licence(config)


def test_no_source_is_both_generated_and_fetched() -> None:
    assert not set(get_args(GeneratedData)) & set(get_args(FetchedData))
