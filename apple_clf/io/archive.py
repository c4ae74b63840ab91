"""ZIP archives from strangers: the members expected, each of a size that is known before reading.

A ZIP can list millions of members, name paths outside its folder, hold the same name twice, or
unpack to far more than its own size. So the directory is checked before it is parsed, and each
member before it is read.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Collection, Mapping

from apple_clf.io.files import printable

_START = b"PK\x03\x04"
_END, _END_OF_ZIP64 = b"PK\x05\x06", b"PK\x06\x07"
_END_SIZE = 22
_MAX_DIRECTORY = 1 << 10
_MAX_RATIO = 100
"""Weights hardly shrink, and text by less than this."""


class ArchiveError(Exception):
    """The archive holds something else than expected; the message completes "it is refused: "."""


class DamagedArchiveError(ArchiveError):
    """The archive is cut off or changed: a new copy may be whole."""


def read_members(
    content: bytes,
    max_sizes: Mapping[str, int],
    *,
    packings: Collection[int] = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED),
) -> dict[str, bytes]:
    """The members of a ZIP by name.

    Not covered: what is inside the members.

    Args:
        content: the whole file.
        max_sizes: the members that it must have, no others, and the bytes that each may have.
        packings: the compression methods of zipfile that are allowed.

    Raises:
        ArchiveError: it is not a ZIP, or does not hold these members in these sizes.
        DamagedArchiveError: it is damaged.
    """
    _check_directory(content, max_sizes)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
            _check_names([info.filename for info in infos], max_sizes)
            for info in infos:
                _check_member(info, max_sizes[info.filename], packings, n_bytes=len(content))
            return {info.filename: archive.read(info) for info in infos}
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError) as error:
        raise DamagedArchiveError(f"it is damaged: {error}") from error


def _check_directory(content: bytes, max_sizes: Mapping[str, int]) -> None:
    """Looks at the last record of the ZIP itself: a long list of members is never parsed."""
    if not content.startswith(_START):
        raise ArchiveError("it is not a ZIP")
    end = content[-_END_SIZE:]
    if len(content) < _END_SIZE or not end.startswith(_END) or not end.endswith(b"\0\0"):
        raise DamagedArchiveError("it is cut off, or has a comment or something else at its end")
    count, size = struct.unpack("<HL", end[10:16])
    is_zip64 = content[-_END_SIZE - 20 :].startswith(_END_OF_ZIP64)
    if is_zip64 or count != len(max_sizes) or size > _MAX_DIRECTORY:
        raise ArchiveError(f"it lists {count} members, not {_expected(max_sizes)} alone")


def _check_names(names: list[str], max_sizes: Mapping[str, int]) -> None:
    if sorted(names) != sorted(max_sizes):
        odd = next((name for name in names if name not in max_sizes), None)
        held = "the same name twice" if odd is None else repr(printable(odd[:80]))
        raise ArchiveError(f"it holds {held}, not {_expected(max_sizes)} alone")


def _check_member(
    info: zipfile.ZipInfo, cap: int, packings: Collection[int], *, n_bytes: int
) -> None:
    name, size, packed = info.filename, info.file_size, info.compress_size
    if size > cap:
        raise ArchiveError(f"{name} declares {size:,} bytes; at most {cap:,} are read")
    if size > _MAX_RATIO * max(1, packed):
        raise ArchiveError(
            f"{name} grows from {packed:,} to {size:,} bytes when unpacked, as a ZIP bomb does"
        )
    if info.flag_bits & 1 or info.compress_type not in packings:
        raise ArchiveError(f"{name} is encrypted, or compressed in a way that is not read here")
    if packed > n_bytes or (info.compress_type == zipfile.ZIP_STORED and size != packed):
        raise DamagedArchiveError(f"{name} is not as long as it says")


def _expected(max_sizes: Mapping[str, int]) -> str:
    return ", ".join(max_sizes)
