"""Files written whole or not at all, folders walked safely, names safe to print."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from apple_clf.errors import FileSystemError

IMAGE_SUFFIXES = frozenset(
    {
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
        *(".bmp", ".dib", ".gif", ".webp", ".tif", ".tiff"),
    }
)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file to write that replaces `path` only when the block ends well.

    A temporary file beside it is written, flushed to disk and renamed over it; then the folder is
    flushed, so that the new name survives a power cut. A reader, now or after a crash, sees all of
    the new file or the old one.

    Raises:
        FileSystemError: the file system refused; the old file, if any, is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")  # as _LEFTOVER below
    try:
        try:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            _flush_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def write_whole(path: Path, content: bytes | str) -> None:
    """Writes a file all at once, as `whole_file` does; text as UTF-8.

    Raises:
        FileSystemError: the file system refused; the old file, if any, is untouched.
    """
    with whole_file(path) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


def json_text(content: object) -> str:
    """The text of a JSON file: indented, UTF-8 as it is, a newline at the end.

    Raises:
        ValueError: a number is NaN or infinite, for which JSON has no word.
    """
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


_LEFTOVER = re.compile(r"\..+\.\d+\.tmp")


def remove_leftovers(folder: Path) -> None:
    """Deletes the temporary files that killed processes left in a folder and below it.

    No process may be writing there.

    Raises:
        FileSystemError: one cannot be deleted.
    """
    for path in folder.rglob(".*.tmp"):
        if _LEFTOVER.fullmatch(path.name):
            try:
                path.unlink()
            except OSError as error:
                raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> FileSystemError:
    """The error for a path that could not be written, with the cause and a next step."""
    return FileSystemError(
        f"{printable(path)}: cannot be written: {error.strerror or error}. "
        "Free some space, or choose another place."
    )


def cannot_read(path: Path, error: OSError) -> FileSystemError:
    """The error for a path that could not be read, with the cause."""
    return FileSystemError(f"{printable(path)}: cannot be read: {error.strerror or error}")


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder, and renames are durable there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


NOT_AN_IMAGE = "not an image file by its name"
LINK_TO_FOLDER = "a link to a folder"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A path that was left out, and why."""

    path: str
    reason: str

    @property
    def by_name(self) -> bool:
        """Whether it was left out because its name is not an image file's."""
        return self.reason == NOT_AN_IMAGE


_HERE = f".{os.sep}"


def find_images(folder: Path) -> Iterator[str | Skipped]:
    """Image files below a folder, sorted by name, and what else lies there with the reason.

    Names are texts: making a Path of each would take longer than everything else here.

    Hidden files are passed over in silence. Links to folders are never followed, so a loop cannot
    hang the walk; a link to a file counts only if the file lies inside the folder.

    Raises:
        FileSystemError: the folder itself cannot be read.
    """
    root = folder.resolve()
    pending = [os.fspath(folder)]
    while pending:
        current = pending.pop()
        try:
            entries = sorted(os.scandir(current), key=lambda entry: entry.name)
        except OSError as error:
            if current == os.fspath(folder):
                raise cannot_read(folder, error) from error
            yield Skipped(current, f"cannot be read: {error.strerror or error}")
            continue
        folders = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = entry.path.removeprefix(_HERE)
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif (reason := _unfit(entry, root)) is None:
                yield path
            else:
                yield Skipped(path, reason)
        pending.extend(reversed(folders))


def _unfit(entry: "os.DirEntry[str]", root: Path) -> str | None:
    """Why a directory entry is not an image file to read, or None."""
    try:
        if entry.is_symlink():
            if entry.is_dir():
                return LINK_TO_FOLDER
            target = Path(os.path.realpath(entry.path))
            if not target.exists():
                return "a broken link"
            if not target.is_relative_to(root):
                return "a link out of the folder"
        if not entry.is_file():
            return "not a regular file"
    except OSError as error:  # a link to itself, or into a locked folder
        return f"cannot be read: {error.strerror or error}"
    if os.path.splitext(entry.name)[1].lower() not in IMAGE_SUFFIXES:  # noqa: PTH122 (10x faster)
        return NOT_AN_IMAGE
    return None


def portable(path: Path | str) -> str:
    r"""A path as valid Unicode that stands for itself in CSV and JSON.

    Bytes that are no UTF-8 become \xNN. A relative path that a spreadsheet would take for a
    formula is prefixed with ./, which names the same file.
    """
    text = _SURROGATE.sub(_escape, os.fspath(path))
    return f"./{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r", "\n"} else text


def printable(path: Path | str) -> str:
    """A path or name as one line of text without control characters, safe on a terminal."""
    text = _SURROGATE.sub(_escape, os.fspath(path))
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


_SURROGATE = re.compile("[\ud800-\udfff]")


def _escape(surrogate: re.Match[str]) -> str:
    r"""\xNN for a byte that Python could not decode in a file's name; \uNNNN for any other."""
    code = ord(surrogate[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"
