from pathlib import Path

import pytest

from apple_clf.errors import ConfigError, DataError, FileSystemError, ImageError
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.web import collecting
from apple_clf.web.collecting import Collection

CONTRACT = Preprocessing()
NAMES = ("apple", "not apple")


def keep(collection: Collection, body: bytes, label: str = "apple") -> Path:
    return collection.keep(body, label=label, contract=CONTRACT)


def test_pictures_lie_in_the_folder_of_their_class_as_they_came(
    tmp_path: Path, apple: Path
) -> None:
    collection = Collection(tmp_path / "new" / "drawings", NAMES)
    path = keep(collection, apple.read_bytes(), "not apple")
    assert path.parent == tmp_path / "new" / "drawings" / "not apple"
    assert path.suffix == ".png"
    assert path.read_bytes() == apple.read_bytes()
    assert keep(collection, apple.read_bytes(), "not apple") == path
    assert [p for p in (tmp_path / "new").rglob("*") if p.is_file()] == [path]


@pytest.mark.parametrize("label", ["", "pear", "../apple", "apple/", "APPLE", "/etc"])
def test_labels_that_are_no_class_are_refused(tmp_path: Path, apple: Path, label: str) -> None:
    collection = Collection(tmp_path / "drawings", NAMES)
    with pytest.raises(DataError, match="no class"):
        keep(collection, apple.read_bytes(), label)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_is_no_picture_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        keep(Collection(tmp_path, NAMES), b"#!/bin/sh")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", ["..", ".hidden", "a/b", "a\\b", "a\0b", ""])
def test_classes_that_are_no_folders_name_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="--collect"):
        Collection(tmp_path, ("apple", name))


def test_a_full_folder_keeps_no_more(
    tmp_path: Path, apple: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "MAX_COLLECTED", 1)
    keep(Collection(tmp_path, NAMES), apple.read_bytes())
    pear = apple.with_name("pear.png").read_bytes()
    with pytest.raises(FileSystemError, match="full"):
        keep(Collection(tmp_path, NAMES), pear)


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileSystemError):
        Collection(tmp_path / "file", NAMES)
