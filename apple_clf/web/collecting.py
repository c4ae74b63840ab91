"""Drawings that a client sends, kept in a folder with a folder for each class."""

import hashlib
from pathlib import Path

from apple_clf.errors import ConfigError, DataError, FileSystemError
from apple_clf.images import loading
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.io.files import cannot_write, printable, write_whole

MAX_COLLECTED = 10_000
"""Files that are kept at most, so that nobody fills a disk."""


_SUFFIXES = {
    b"\x89PNG": "png",
    b"\xff\xd8": "jpg",
    b"GIF8": "gif",
    b"RIFF": "webp",
    b"BM": "bmp",
}
"""By how files begin; what else can be decoded is TIFF."""


class Collection:
    """`<class>/<hash>.png` below one folder: `data.source: folder` can read it."""

    def __init__(self, folder: Path, class_names: tuple[str, ...]) -> None:
        """Makes the folder and those of the classes.

        Raises:
            ConfigError: a class is named like no folder.
            FileSystemError: they cannot be made.
        """
        for name in class_names:
            if not _is_folder_name(name):
                raise ConfigError(
                    f"--collect cannot make a folder for the class {printable(name)!r}. "
                    "Leave --collect out, or train with another name."
                )
        self.folder = folder
        self._folders = {name: folder / name for name in class_names}
        try:
            for path in self._folders.values():
                path.mkdir(parents=True, exist_ok=True)
            self._n_files = sum(1 for path in self._folders.values() for _ in path.iterdir())
        except OSError as error:
            raise cannot_write(folder, error) from error

    def keep(self, body: bytes, *, label: str, contract: Preprocessing) -> Path:
        """Where a picture lies now; the same bytes are kept once.

        Args:
            body: its file.
            label: its class.
            contract: of the model, to see that the picture can be used.

        Raises:
            DataError: there is no such class.
            ImageError: it is not a usable picture.
            FileSystemError: the folder is full, or cannot be written.
        """
        folder = self._folders.get(label)
        if folder is None:
            raise DataError(f"label: no class {printable(label)!r}.")
        loading.load(body, contract)
        suffix = next((s for start, s in _SUFFIXES.items() if body.startswith(start)), "tif")
        path = folder / f"{hashlib.sha256(body).hexdigest()[:16]}.{suffix}"
        if not path.exists():
            if self._n_files >= MAX_COLLECTED:
                raise FileSystemError(
                    f"{printable(self.folder)}: full: {MAX_COLLECTED:,} pictures are kept at most."
                )
            write_whole(path, body)
            self._n_files += 1
        return path


def _is_folder_name(name: str) -> bool:
    """Whether a name stands for one folder, and one that is not hidden."""
    parts = Path(name).parts
    return parts == (name,) and not name.startswith(".") and not {"\\", "\0"} & set(name)
