"""Folders of images as users keep them: `<class>/*` or `<split>/<class>/*`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from apple_clf.errors import DataError, FileSystemError
from apple_clf.files import Skipped, find_images, portable, printable

SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}
"""Folder names that mean a split, as they are found in the wild."""


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """One image file, the name of its class, and its split where the folders say so."""

    path: Path
    class_name: str
    split: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder of images holds."""

    files: list[LabelledFile]
    class_names: tuple[str, ...]  # sorted; an empty class is listed too
    skipped: list[Skipped]
    splits: frozenset[str]  # empty for the layout <class>/*


def list_labelled_files(folder: Path) -> Listing:
    """The image files of a folder with their classes and splits, in the order of their names.

    The layout is `<split>/<class>/*` if a subfolder is called train, val or test (or a synonym)
    and holds folders itself, else `<class>/*`. A class may have subfolders.

    Raises:
        DataError: there is no such folder, or it holds no class folders.
        FileSystemError: the folder cannot be read.
    """
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "there is no such folder"
        raise DataError(
            f"{printable(folder)}: {what}. Set data.path to a folder that holds one folder "
            "of images for each class."
        )
    subfolders = _subfolders(folder)
    split_folders = [
        (SPLIT_FOLDERS[path.name.lower()], path)
        for path in subfolders
        if path.name.lower() in SPLIT_FOLDERS and _subfolders(path)
    ]
    groups: Sequence[tuple[str | None, Path]] = split_folders or [(None, folder)]
    files: list[LabelledFile] = []
    skipped: list[Skipped] = []
    class_names: set[str] = set()
    for split, group in groups:
        for class_folder in _subfolders(group):
            class_name = portable(class_folder.name)
            class_names.add(class_name)
            for found in find_images(class_folder):
                if isinstance(found, Skipped):
                    skipped.append(found)
                else:
                    files.append(LabelledFile(found, class_name, split))
    if not class_names:
        raise DataError(
            f"{printable(folder)}: holds no folders. Put the images of each class in a folder "
            f"with its name, such as {printable(folder)}/apple and {printable(folder)}/not_apple."
        )
    return Listing(
        files=files,
        class_names=tuple(sorted(class_names)),
        skipped=skipped,
        splits=frozenset(split for split, _ in split_folders),
    )


def _subfolders(folder: Path) -> list[Path]:
    return sorted(_iterate_subfolders(folder))


def _iterate_subfolders(folder: Path) -> Iterator[Path]:
    try:
        for path in folder.iterdir():
            if not path.name.startswith(".") and path.is_dir() and not path.is_symlink():
                yield path
    except OSError as error:
        raise FileSystemError(
            f"{printable(folder)}: cannot be read: {error.strerror or error}"
        ) from error
