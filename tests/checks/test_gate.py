import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import ImageFolder

from apple_clf.checks import refuse_duplicates
from apple_clf.config.schema import DataConfig, FolderData, NoiseData, NpzData
from apple_clf.data import SPLITS, Dataset, load_dataset
from apple_clf.errors import DataError
from apple_clf.images.preprocessing import Preprocessing

CONTRACT = Preprocessing(image_size=(8, 8), resize="stretch", polarity="as_is")


def checked(config: DataConfig) -> Dataset:
    dataset = load_dataset(config, CONTRACT, seed=1)
    refuse_duplicates(dataset, config)
    return dataset


@pytest.fixture
def given_splits(image_folder: ImageFolder) -> Path:
    return image_folder({f"{split}/{name}": 6 for split in ("train", "test") for name in "ab"})


@pytest.fixture
def one_folder(image_folder: ImageFolder) -> Path:
    return image_folder({"a": 9, "b": 9})


def test_data_without_copies_pass(given_splits: Path) -> None:
    assert checked(FolderData(path=str(given_splits))).duplicates.counts() == {
        "images": 0,
        "in_two_splits": 0,
        "under_two_classes": 0,
    }


def test_fault_24_the_same_pixels_in_two_given_splits_are_refused(given_splits: Path) -> None:
    shutil.copy(given_splits / "train/a/003.png", given_splits / "test/a/copy.png")
    with pytest.raises(DataError) as refusal:
        checked(FolderData(path=str(given_splits)))
    first, pair = str(refusal.value).splitlines()
    assert first.startswith(f"{given_splits}: the same pixels are in two splits, once,")
    assert "data.duplicates=allow" in first
    assert f"{given_splits}/train/a/003.png (a, " in pair
    assert pair.endswith(f" = {given_splits}/test/a/copy.png (a, test)")


def test_fault_24_allowed_copies_are_counted(given_splits: Path) -> None:
    shutil.copy(given_splits / "train/a/003.png", given_splits / "test/a/copy.png")
    described = checked(FolderData(path=str(given_splits), duplicates="allow")).as_dict()
    assert described["duplicates"] == {"images": 1, "in_two_splits": 1, "under_two_classes": 0}


@pytest.mark.parametrize("seed", range(5))
def test_fault_24_copies_stay_together_where_splits_are_drawn(one_folder: Path, seed: int) -> None:
    for i in range(6):
        shutil.copy(one_folder / f"a/{i:03d}.png", one_folder / f"a/copy{i}.png")
    config = FolderData(path=str(one_folder), validation_split=0.3, test_split=0.3)
    dataset = load_dataset(config, CONTRACT, seed=seed)
    refuse_duplicates(dataset, config)
    assert dataset.duplicates.counts()["images"] == 6
    homes = {
        Path(name).name: split
        for split in SPLITS
        for name in getattr(dataset, split).names
        if "/a/" in name
    }
    assert all(homes[f"copy{i}.png"] == homes[f"{i:03d}.png"] for i in range(6))
    assert set(homes.values()) == set(SPLITS)


def test_fault_25_the_same_pixels_under_both_labels_are_refused(one_folder: Path) -> None:
    for i in range(2):
        shutil.copy(one_folder / f"a/{i:03d}.png", one_folder / f"b/copy{i}.png")
    with pytest.raises(DataError) as refusal:
        checked(FolderData(path=str(one_folder)))
    first, *pairs = str(refusal.value).splitlines()
    assert "the same pixels stand under two classes, 2 times" in first
    copies = {(f"a/{i:03d}.png", f"b/copy{i}.png") for i in range(2)}
    assert {
        pair for pair in copies for line in pairs if all(name in line for name in pair)
    } == copies


def test_fault_25_in_an_archive_too(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (12, 8, 8), np.uint8)
    x[7] = x[2]
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(12) % 2)
    config = NpzData(path=str(tmp_path / "data.npz"))
    with pytest.raises(DataError, match=r"00002 .* = 00007 "):
        checked(config)
    checked(config.model_copy(update={"duplicates": "allow"}))


def test_long_list_is_cut_and_says_where_the_rest_is(given_splits: Path) -> None:
    for i in range(6):
        for name in "ab":
            shutil.copy(
                given_splits / f"train/{name}/{i:03d}.png", given_splits / f"test/{name}/c{i}.png"
            )
    with pytest.raises(DataError) as refusal:
        checked(FolderData(path=str(given_splits)))
    lines = str(refusal.value).splitlines()
    assert len(lines) == 12
    assert lines[-1] == "  and 2 more; apple-clf data check lists all"


def test_generated_data_may_repeat() -> None:
    contract = Preprocessing(image_size=(1, 1), resize="stretch", polarity="as_is")
    config = NoiseData(train_samples=600, test_samples=600)
    dataset = load_dataset(config, contract, seed=1)
    assert dataset.duplicates.counts()["under_two_classes"] > 0
    refuse_duplicates(dataset, config)
