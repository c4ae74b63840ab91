"""The bytes of a .keras file -> its three members, with every size known before it is read."""

import json
import re
from dataclasses import dataclass
from typing import Any

from apple_clf.errors import ArtifactError
from apple_clf.io.archive import ArchiveError, DamagedArchiveError, read_members
from apple_clf.io.files import printable

MAX_WEIGHTS = 1 << 30
"""Bytes of weights that are read at most: 250 million numbers."""

MAX_FILE = MAX_WEIGHTS + (1 << 24)
"""Bytes of a whole file that are read at most."""

_MAX_SIZES = {
    "metadata.json": 1 << 14,
    "config.json": 1 << 22,
    "model.weights.h5": MAX_WEIGHTS,
}
"""The members that Keras writes, and the bytes that each may have."""


@dataclass(frozen=True)
class Archive:
    """What a .keras file holds, not looked into yet."""

    keras_version: str
    config: bytes  # JSON
    weights: bytes  # HDF5


def read_archive(content: bytes) -> Archive:
    """The members of a .keras file.

    Not covered: what is inside the members.

    Args:
        content: the whole file.

    Raises:
        ArtifactError: it is not a ZIP as Keras writes it, or larger than it claims or than is
            read; the message does not name the file.
    """
    try:
        members = read_members(content, _MAX_SIZES)
    except DamagedArchiveError as error:
        raise ArtifactError(f"corrupt: {error}. Copy the file again.") from error
    except ArchiveError as error:
        reason = error if content.startswith(b"PK") else f"no .keras file but {_kind(content)}"
        raise ArtifactError(f"{reason}.{_SAVE_AGAIN}") from error
    return Archive(
        keras_version=_keras_version(members["metadata.json"]),
        config=members["config.json"],
        weights=members["model.weights.h5"],
    )


def _keras_version(metadata: bytes) -> str:
    try:
        content: Any = json.loads(metadata)
    except (ValueError, RecursionError):
        content = None
    version = content.get("keras_version") if isinstance(content, dict) else None
    if not isinstance(version, str) or not re.match(r"\d{1,4}\.\d{1,4}(\D|$)", version[:64]):
        raise ArtifactError(f"metadata.json names no Keras version.{_SAVE_AGAIN}")
    return printable(version[:64])


def _kind(content: bytes) -> str:
    if not content:
        return "empty"
    if content.startswith(b"\x89HDF\r\n\x1a\n"):
        return "an HDF5 file, as old versions of Keras wrote (.h5)"
    if content[4:8] == b"TFL3":
        return "a LiteRT file (.tflite)"
    return "something else"


_SAVE_AGAIN = " Save it again with Keras: model.save('model.keras')."
