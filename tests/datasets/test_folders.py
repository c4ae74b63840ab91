import os
from pathlib import Path

import pytest
from conftest import ImageFolder, InChild, write_image

from apple_clf.datasets.folders import check_classes, list_labelled_files
from apple_clf.errors import DataError, FileSystemError


def listed(folder: Path) -> list[tuple[str, str, str | None]]:
    """File below the folder, class and split of what is found."""
    return [
        (Path(file.path).relative_to(folder).as_posix(), file.class_name, file.split)
        for file in list_labelled_files(folder).files
    ]


def skipped(folder: Path) -> dict[str, str]:
    """Reason by file below the folder of what is not used."""
    return {
        Path(skip.path).relative_to(folder).as_posix(): skip.reason
        for skip in list_labelled_files(folder).skipped
    }


def test_folder_per_class(image_folder: ImageFolder) -> None:
    folder = image_folder({"pear": 1, "apple": 2})
    assert listed(folder) == [
        ("apple/000.png", "apple", None),
        ("apple/001.png", "apple", None),
        ("pear/000.png", "pear", None),
    ]
    listing = list_labelled_files(folder)
    assert listing.class_names == ("apple", "pear")
    assert listing.splits == frozenset()


@pytest.mark.parametrize("train", ["train", "Training", "TRAIN"])
@pytest.mark.parametrize("validation", ["val", "valid", "Validation"])
def test_folder_per_split_by_any_of_its_names(
    image_folder: ImageFolder, train: str, validation: str
) -> None:
    folder = image_folder({f"{train}/a": 1, f"{validation}/a": 1, "Test/a": 1, f"{train}/b": 1})
    assert {(file.split, file.class_name) for file in list_labelled_files(folder).files} == {
        ("train", "a"),
        ("train", "b"),
        ("validation", "a"),
        ("test", "a"),
    }
    assert list_labelled_files(folder).splits == {"train", "validation", "test"}


def test_two_names_of_one_split_are_one_split(image_folder: ImageFolder) -> None:
    folder = image_folder({"train/a": 1, "val/a": 1, "valid/a": 1})
    assert [split for *_, split in listed(folder)] == ["train", "validation", "validation"]


def test_class_may_be_called_like_a_split(image_folder: ImageFolder) -> None:
    folder = image_folder({"train": 1, "plane": 1})
    assert listed(folder) == [("plane/000.png", "plane", None), ("train/000.png", "train", None)]


def test_class_may_have_subfolders(image_folder: ImageFolder) -> None:
    folder = image_folder({"a/x/deep": 1, "a/y": 1, "b": 1, ".git/c": 1, "a/.thumbs": 1})
    assert [(name, label) for name, label, _ in listed(folder)] == [
        ("a/x/deep/000.png", "a"),
        ("a/y/000.png", "a"),
        ("b/000.png", "b"),
    ]


def test_what_is_not_used_is_told(image_folder: ImageFolder, tmp_path: Path) -> None:
    folder = image_folder({"train/a": 1, "train/b": 1, "test": 2, "more/a": 1})
    write_image(folder / "sheet.PNG", 1)
    write_image(folder / "train" / "stray.png", 2)
    (folder / "README.md").touch()
    (folder / "train" / "a" / "notes.txt").touch()
    (folder / "train" / "c").symlink_to(folder / "more" / "a")
    assert skipped(folder) == {
        "more": "not a split with a folder for each class",
        "sheet.PNG": "in no folder of a class",
        "test": "not a split with a folder for each class",
        "train/a/notes.txt": "not an image file by its name",
        "train/c": "a link to a folder",
        "train/stray.png": "in no folder of a class",
    }


def test_fault_27_links_to_folders_and_loops_are_no_classes(image_folder: ImageFolder) -> None:
    folder = image_folder({"a": 1, "b": 1})
    (folder / "loop").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    (folder / "a" / "up").symlink_to(folder)
    assert [name for name, *_ in listed(folder)] == ["a/000.png", "b/000.png"]
    assert skipped(folder) == {"a/up": "a link to a folder", "loop": "a link to a folder"}


def test_fault_29_class_names_are_valid_unicode(tmp_path: Path) -> None:
    for name in (b"=cmd", b"\xff", b"a\nb"):
        write_image(tmp_path / os.fsdecode(name) / "a.png", 0)
    assert list_labelled_files(tmp_path).class_names == ("./=cmd", "\\xff", "a\nb")


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("missing", "there is no such folder"),
        ("file", "is no folder"),
        ("empty", "holds no folders. Put the images of each class in a folder"),
    ],
)
def test_what_is_no_folder_of_folders_is_refused(tmp_path: Path, place: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=f"{place}: {message}"):
        list_labelled_files(tmp_path / place)


def test_locked_folder_is_a_file_system_error(open_folder: Path, as_nobody: InChild) -> None:
    write_image(open_folder / "a" / "a.png", 0)
    (open_folder / "a").chmod(0)

    def look() -> str:
        with pytest.raises(FileSystemError) as raised:
            list_labelled_files(open_folder)
        return str(raised.value)

    assert as_nobody(look).endswith("/a: cannot be read: Permission denied")


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"a": 2, "b": 0}, "D: no image of class b. Add images, or remove the folders"),
        ({"train/a": 1, "train/b": 0, "test/b": 1}, "D/train: no image of class b"),
        ({"test/a": 1, "test/b": 1}, "D/train: no image of class a, b"),
        ({"a": 2}, "D: two or more classes are needed to tell apart; found only a"),
    ],
    ids=["empty class", "class without training images", "no training split", "one class"],
)
def test_fault_20_classes_that_cannot_be_learned_are_refused(
    image_folder: ImageFolder, counts: dict[str, int], message: str
) -> None:
    listing = list_labelled_files(image_folder(counts))
    with pytest.raises(DataError, match=f"^{message}"):
        check_classes(listing, where="D")


def test_classes_that_can_be_learned_are_let_pass(image_folder: ImageFolder) -> None:
    check_classes(list_labelled_files(image_folder({"a": 1, "b": 1})), where="D")
