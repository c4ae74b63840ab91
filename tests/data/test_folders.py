import os
from pathlib import Path

import pytest
from conftest import ImageFolder, InChild, write_image

from apple_clf.data.folders import check_classes, list_labelled_files
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


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "val", "test"),
        ("Training", "Valid", "Testing"),
        ("TRAIN", "VALIDATION", "EVAL"),
        ("training_set", "validation_set", "test_set"),
        ("Training-Set", "val-set", "Test Set"),
        ("train_data", "dev", "evaluation"),
        ("train2017", "val2017", "test2017"),
        ("trainset", "dev_set", "holdout"),
    ],
)
def test_folder_per_split_by_any_of_its_names(
    image_folder: ImageFolder, train: str, validation: str, test: str
) -> None:
    folder = image_folder({f"{train}/a": 1, f"{validation}/a": 1, f"{test}/a": 1, f"{train}/b": 1})
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


TWO_WAYS = "can be read in two ways"


@pytest.mark.parametrize(
    ("counts", "messages"),
    [
        (
            {"x/a": 1, "x/b": 1, "y/a": 1, "y/b": 1},
            (
                TWO_WAYS,
                "x and y are the classes, in parts; or a and b are the classes, and x and y are",
                "name them train, validation or test, such as {}/train/a",
            ),
        ),
        (
            {"x/a": 1, "x/b": 1, "y/a": 1, "y/c": 1, "z": 1},
            (TWO_WAYS, "x and y hold folders of the same names, a, b and c,"),
        ),
        (
            {f"{site}/{name}": 1 for site in "pqrstu" for name in "ab"},
            (TWO_WAYS, "p, q, r, s and 2 more are splits"),
        ),
        (
            {"train/x/a": 1, "train/x/b": 1, "train/y/a": 1, "train/y/b": 1},
            ("{}/train: x and y hold folders of the same names, a and b", TWO_WAYS),
        ),
        (
            {"a/train": 1, "a/test": 1, "b/train": 1, "b/test": 1},
            ("a and b hold test and train, which are splits below", "such as {}/test/a;"),
        ),
        (
            {"train": 1, "test": 1},
            ("test and train are named like splits, but hold no class folders", "{}/test/apple"),
        ),
        ({"train_set": 2}, ("train_set is named like a split, but holds no class folders",)),
        (
            {"train": 1, "Test-Set": 1, "plane": 1},
            ("Test-Set and train are named like splits, but hold no class folders",),
        ),
        (
            {"train/a": 1, "train/b": 1, "test/a": 1, "test/b": 1, "c": 1},
            (
                "test and train are splits, and c beside would be left out; or all of them are",
                "move c into one, such as {}/test/c, or out of {}. ",
                "rename test and train.",
            ),
        ),
        (
            {"train/steam": 1, "train/diesel": 1, "plane/jet": 1},
            (TWO_WAYS, "train is a split, and plane beside would be left out", "rename train."),
        ),
        (
            {"train/a": 1, "train/b": 1, "test": 1},
            ("images of test lie in no class folders", "such as {}/test/a, or move test out of"),
        ),
    ],
    ids=[
        "unknown names of splits",
        "not all names in common",
        "many",
        "below a split",
        "splits below classes",
        "splits without classes",
        "one split without classes",
        "splits without classes and a class",
        "splits and a class",
        "a class called train, in parts",
        "a split without classes beside one with them",
    ],
)
def test_what_can_be_read_in_two_ways_is_refused_with_both(
    image_folder: ImageFolder, counts: dict[str, int], messages: tuple[str, ...]
) -> None:
    folder = image_folder(counts)
    with pytest.raises(DataError) as raised:
        list_labelled_files(folder)
    error = str(raised.value)
    assert error.startswith(str(folder))
    assert [part for part in messages if part.format(*[folder] * 2) not in error] == [], error


@pytest.mark.parametrize(
    ("counts", "classes"),
    [
        ({"a/images": 1, "b/images": 1}, ("a", "b")),
        ({"a/images": 1, "a/text": 0, "b/images": 1, "b/text": 0}, ("a", "b")),
        ({"a/x": 1, "a/y": 1, "b/z": 1}, ("a", "b")),
        ({"valid": 1, "invalid": 1}, ("invalid", "valid")),
        ({"train/train": 1, "train/test": 1}, ("test", "train")),
        ({"train/a/images": 1, "train/b/images": 1, "test/a/images": 1}, ("a", "b")),
    ],
)
def test_what_can_be_read_in_one_way_is_read(
    image_folder: ImageFolder, counts: dict[str, int], classes: tuple[str, ...]
) -> None:
    assert list_labelled_files(image_folder(counts)).class_names == classes


def test_locked_folder_beside_splits_is_passed_over(open_folder: Path, as_nobody: InChild) -> None:
    for name in ("train/a", "train/b", "test/a"):
        write_image(open_folder / name / "a.png", 0)
    (open_folder / "lost+found").mkdir(mode=0)
    assert as_nobody(lambda: str(skipped(open_folder))) == (
        "{'lost+found': 'not a split with a folder for each class'}"
    )


def test_what_is_not_used_is_told(image_folder: ImageFolder, tmp_path: Path) -> None:
    folder = image_folder({"train/a": 1, "train/b": 1, "test": 0, "notes/a": 0})
    write_image(folder / "sheet.PNG", 1)
    write_image(folder / "train" / "stray.png", 2)
    (folder / "README.md").touch()
    (folder / "train" / "a" / "notes.txt").touch()
    (folder / "train" / "c").symlink_to(folder / "train" / "a")
    assert skipped(folder) == {
        "notes": "not a split with a folder for each class",
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
        ("file", "is not a folder"),
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
