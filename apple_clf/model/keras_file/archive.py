"""The bytes of a .keras file -> its three members, with every size known before it is read."""

import io
import json
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import Any

from apple_clf.errors import ArtifactError
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

_MAX_DIRECTORY = 1 << 12
_MAX_RATIO = 100
"""Keras does not compress; a file packed again by hand stays far below."""


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
        ArtifactError: it is no ZIP as Keras writes it, or larger than it claims or than is
            read; the message does not name the file.
    """
    _check_directory(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
            names = sorted(info.filename for info in infos)
            if names != sorted(_MAX_SIZES):
                raise _unexpected(names)
            members = {info.filename: _read(archive, info) for info in infos}
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError) as error:
        raise ArtifactError(f"corrupt: {error}. Copy the file again.") from error
    return Archive(
        keras_version=_keras_version(members["metadata.json"]),
        config=members["config.json"],
        weights=members["model.weights.h5"],
    )


def _check_directory(content: bytes) -> None:
    """Looks at the ZIP's last record itself: a list of millions of members is never parsed."""
    if not content.startswith(b"PK\x03\x04"):
        raise ArtifactError(f"it is no .keras file but {_kind(content)}.{_SAVE_AGAIN}")
    end = content[-22:]
    if len(content) < 22 or end[:4] != b"PK\x05\x06" or end[-2:] != b"\0\0":
        raise ArtifactError("corrupt: the ZIP has no end, or a comment. Copy the file again.")
    count, size = struct.unpack("<HL", end[10:16])
    is_zip64 = content[-42:-38] == b"PK\x06\x07"
    if is_zip64 or count != len(_MAX_SIZES) or size > _MAX_DIRECTORY:
        raise ArtifactError(
            f"the ZIP lists {count} members; a .keras file holds {', '.join(_MAX_SIZES)} "
            f"and nothing else.{_SAVE_AGAIN}"
        )


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """One member, which can be no longer than its declared size."""
    cap = _MAX_SIZES[info.filename]
    if info.file_size > cap:
        raise ArtifactError(
            f"{info.filename} declares {info.file_size:,} bytes; at most {cap:,} are read. "
            "A network of this program is far smaller."
        )
    if info.file_size > _MAX_RATIO * max(1, info.compress_size):
        raise ArtifactError(
            f"{info.filename} grows from {info.compress_size:,} to {info.file_size:,} bytes when "
            f"unpacked, as a ZIP bomb does.{_SAVE_AGAIN}"
        )
    if info.flag_bits & 1 or info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise ArtifactError(f"{info.filename} is encrypted or oddly packed.{_SAVE_AGAIN}")
    return archive.read(info)


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


def _unexpected(names: list[str]) -> ArtifactError:
    odd = next((name for name in names if name not in _MAX_SIZES), "the same name twice")
    return ArtifactError(
        f"the ZIP holds {printable(odd[:80])!r}; a .keras file of layers alone holds "
        f"{', '.join(_MAX_SIZES)} and nothing else.{_SAVE_AGAIN}"
    )


_SAVE_AGAIN = " Save it again with Keras: model.save('model.keras')."
