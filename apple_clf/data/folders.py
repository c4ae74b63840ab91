"""Folders of images as users keep them: `<class>/*` or `<split>/<class>/*`."""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from apple_clf.data.layout import split_folders, visible_folders
from apple_clf.errors import DataError
from apple_clf.io.files import (
    IMAGE_SUFFIXES,
    LINK_TO_FOLDER,
    Skipped,
    cannot_read,
    find_images,
    portable,
    printable,
)

NOT_A_SPLIT = "not a split with a folder for each class"


class LabelledFile(NamedTuple):  # one for each file: made faster than a dataclass
    """One image file, the name of its class, and its split where the folders say so."""

    path: str
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
        DataError: there is no such folder, it holds no class folders, or it is not clear which
            folders are classes.
        FileSystemError: the folder cannot be read.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "there is no such folder"
        raise DataError(
            f"{printable(folder)}: {what}. Set data.path to a folder that holds one folder "
            "of images for each class."
        )
    splits = split_folders(folder)
    groups: Sequence[tuple[str | None, Path]] = splits or [(None, folder)]
    files: list[LabelledFile] = []
    skipped: list[Skipped] = []
    class_names: set[str] = set()
    if splits:
        skipped += _beside(folder, used=[path for _, path in splits])
    for split, group in groups:
        class_folders = visible_folders(group)
        skipped += _beside(group, used=class_folders)
        for class_folder in class_folders:
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
        splits=frozenset(split for split, _ in splits),
    )


def training_files(listing: Listing) -> list[LabelledFile]:
    """The images that may be trained on, before some are held out."""
    return [file for file in listing.files if file.split in {None, "train"}]


def check_classes(listing: Listing, *, where: str) -> None:
    """Refuses a listing that nothing can be learned from, before an image is decoded.

    Raises:
        DataError: there are fewer than two classes, or one has no image to train on.
    """
    if len(listing.class_names) < 2:
        raise too_few_classes(listing.class_names, where=where)
    trained_on = {file.class_name for file in training_files(listing)}
    if empty := [name for name in listing.class_names if name not in trained_on]:
        place = f"{where}/train" if listing.splits else where
        raise DataError(
            f"{place}: no image of class {', '.join(map(printable, empty))}. "
            "Add images, or remove the folders of that class."
        )


def too_few_classes(class_names: Sequence[str], *, where: str) -> DataError:
    """The error for data of one class or none."""
    found = f"only {printable(class_names[0])}" if class_names else "none"
    return DataError(
        f"{where}: two or more classes are needed to tell apart; found {found}. "
        "Add images of what it is not."
    )


def _beside(folder: Path, *, used: Collection[Path]) -> Iterator[Skipped]:
    """Folders that are not used and images that lie in none, so that nobody misses them in vain."""
    for path in _visible(folder):
        if path in used:
            continue
        if os.path.isdir(path):  # noqa: PTH112 (false where a link cannot be followed)
            yield Skipped(str(path), LINK_TO_FOLDER if path.is_symlink() else NOT_A_SPLIT)
        elif path.suffix.lower() in IMAGE_SUFFIXES:
            yield Skipped(str(path), "in no folder of a class")


def _visible(folder: Path) -> list[Path]:
    """What lies in a folder, sorted, without what is hidden."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise cannot_read(folder, error) from error
