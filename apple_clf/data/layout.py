"""Which folders in a folder of images are splits and which are classes.

A wrong guess trains a network to tell the training images from the test images, so a layout that
can be read in two ways is refused.
"""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from apple_clf.errors import DataError, FileSystemError
from apple_clf.io.files import cannot_read, find_images, printable

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "development": "validation",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
    "holdout": "test",
}
"""Words that name a split in the wild, in any case, alone or before "set", "data" or a number."""

_SPLIT = re.compile(rf"({'|'.join(SPLIT_NAMES)})((data)?set|data|split|images|imgs)?\d*")

N_NAMED = 4
"""Folders that a message names before it counts the rest."""


def split_of(name: str) -> str | None:
    """The split that a folder's name means: train, validation or test; None if it means none.

    >>> split_of("Training-Set"), split_of("val2017"), split_of("trains")
    ('train', 'validation', None)
    """
    match = _SPLIT.fullmatch(re.sub(r"[\s_.-]", "", name.lower()))
    return SPLIT_NAMES[match[1]] if match else None


def split_folders(folder: Path) -> list[tuple[str, Path]]:
    """Split and path of each subfolder that is a split with class folders; none for `<class>/*`.

    Raises:
        DataError: it is not clear which of the subfolders are splits and which are classes.
        FileSystemError: a folder cannot be read.
    """
    subfolders = [_look(path) for path in visible_folders(folder)]
    splits = [(sub.split, sub.path) for sub in subfolders if sub.split and sub.inner]
    if not splits:
        _refuse_splits_without_classes(folder, subfolders)
        _refuse_repeated_names(folder, subfolders)
        return []
    _refuse_images_beside(folder, subfolders)
    for _, path in splits:
        _refuse_repeated_names(path, [_look(inner) for inner in visible_folders(path)])
    return splits


def visible_folders(folder: Path) -> list[Path]:
    """The folders in a folder, sorted, without links and what is hidden.

    Raises:
        FileSystemError: it cannot be read.
    """
    try:
        with os.scandir(folder) as entries:  # asks the disk once, where Path asks for every file
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError as error:
        raise cannot_read(folder, error) from error
    return [folder / name for name in sorted(names) if not name.startswith(".")]


@dataclass(frozen=True, slots=True)
class _Subfolder:
    path: Path
    split: str | None  # that its name means
    inner: tuple[str, ...]  # names of the folders in it

    def inner_with_images(self) -> list[str]:
        """Names of the folders in it in which an image lies, however deep."""
        return [name for name in self.inner if _holds_images(self.path / name)]


def _look(path: Path) -> _Subfolder:
    try:
        inner = [sub.name for sub in visible_folders(path)]
    except FileSystemError:  # told when its images are wanted; lost+found, beside splits, is not
        inner = []
    return _Subfolder(path, split_of(path.name), tuple(inner))


def _holds_images(folder: Path) -> bool:
    """Whether an image lies in a folder that can be read, however deep."""
    try:
        return any(isinstance(found, str) for found in find_images(folder))
    except FileSystemError:
        return False


def _refuse_splits_without_classes(folder: Path, subfolders: Sequence[_Subfolder]) -> None:
    """`train/*`, `test/*`: whoever names two splits, or nothing else, does not mean classes.

    A single name, as in `train/*`, `plane/*`, may well be a class.
    """
    named = [sub for sub in subfolders if sub.split]
    if len({sub.split for sub in named}) < 2 and (not named or len(named) < len(subfolders)):
        return
    first = named[0].path
    are = _are(named, "named like a split, but holds", "named like splits, but hold")
    raise DataError(
        f"{printable(folder)}: {_names(named)} {are} no class folders, so the images have no "
        f"labels. Sort the images by class, such as {printable(first)}/apple and "
        f"{printable(first)}/not_apple; if the names mean classes, give the folders other names."
    )


def _refuse_images_beside(folder: Path, subfolders: Sequence[_Subfolder]) -> None:
    """`train/<class>/*`, but images in other folders beside it, which nobody would look at."""
    splits = [sub for sub in subfolders if sub.split and sub.inner]
    beside = [sub for sub in subfolders if sub not in splits and _holds_images(sub.path)]
    are = _are(splits, "a split", "splits")
    if strays := [sub for sub in beside if not sub.split]:
        raise DataError(
            f"{printable(folder)}: can be read in two ways: {_names(splits)} {are}, and "
            f"{_names(strays)} beside would be left out; or all of them are classes. "
            f"If {_names(splits)} {are}, move {_names(strays)} into one, such as "
            f"{printable(splits[0].path / strays[0].path.name)}, or out of {printable(folder)}. "
            f"If all of them are classes, rename {_names(splits)}."
        )
    if beside:
        raise DataError(
            f"{printable(folder)}: {_names(splits)} {are} with a folder for each class, but the "
            f"images of {_names(beside)} lie in no class folders, so they have no labels. Sort "
            f"them by class, such as {printable(beside[0].path / splits[0].inner[0])}, or move "
            f"{_names(beside)} out of {printable(folder)}."
        )


def _refuse_repeated_names(folder: Path, subfolders: Sequence[_Subfolder]) -> None:
    """`a/x/*`, `a/y/*`, `b/x/*`, `b/y/*`: are a and b classes, or x and y?

    A single name in all of them, as in `<class>/images/*`, cannot mean classes.
    """
    found = {sub: sub.inner_with_images() for sub in subfolders}
    counts = Counter(name for names in found.values() for name in names)
    repeated = {name for name, n in counts.items() if n > 1}
    if not repeated or len(counts) < 2:
        return
    outer = [sub for sub, names in found.items() if repeated.intersection(names)]
    inner = sorted({name for sub in outer for name in found[sub]})
    first = printable(folder / inner[0])
    if all(map(split_of, inner)):
        raise DataError(
            f"{printable(folder)}: {_names(outer)} hold {_some(inner)}, which are splits below the "
            "classes, or classes below the splits. If they are splits, turn the folders around, "
            f"such as {first}/{printable(outer[0].path.name)}; if they are parts of the classes, "
            f"put their images directly into {_names(outer)}."
        )
    raise DataError(
        f"{printable(folder)}: {_names(outer)} hold folders of the same names, {_some(inner)}, "
        f"which can be read in two ways: {_names(outer)} are the classes, in parts; or "
        f"{_some(inner)} are the classes, and {_names(outer)} are splits. "
        f"If they are splits, name them train, validation or test, such as "
        f"{printable(folder)}/train/{printable(inner[0])}; if they are the classes, put their "
        "images directly into them."
    )


def _names(subfolders: Sequence[_Subfolder]) -> str:
    return _some([sub.path.name for sub in subfolders])


def _some(names: Sequence[str]) -> str:
    """All names in words, or the first ones and how many there are besides."""
    shown = list(map(printable, names[:N_NAMED]))
    if len(names) > N_NAMED:
        return f"{', '.join(shown)} and {len(names) - N_NAMED} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]


def _are(subfolders: Sequence[_Subfolder], one: str, many: str) -> str:
    return f"are {many}" if len(subfolders) > 1 else f"is {one}"
