import io
import struct
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.io.archive import ArchiveError, DamagedArchiveError, read_members

SIZES = {"a.txt": 100, "b.bin": 50_000}
MEMBERS = {"a.txt": b"hello", "b.bin": bytes(range(256))}


def packed(members: Mapping[str, bytes] = MEMBERS, method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_those_that_were_packed(method: int) -> None:
    assert read_members(packed(method=method), SIZES) == MEMBERS


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"a.txt": b""}, "lists 1 members, not a.txt, b.bin alone"),
        (MEMBERS | {"c": b""}, "lists 3 members"),
        ({"a.txt": b"", "../b.bin": b""}, r"holds '\.\./b\.bin'"),
        (MEMBERS | {"a.txt": bytes(101)}, "a.txt declares 101 bytes; at most 100"),
    ],
)
def test_other_members_or_sizes_are_refused(members: Mapping[str, bytes], reason: str) -> None:
    with pytest.raises(ArchiveError, match=reason) as caught:
        read_members(packed(members), SIZES)
    assert not isinstance(caught.value, DamagedArchiveError)


def test_member_that_grows_a_hundred_times_is_refused() -> None:
    content = packed(MEMBERS | {"b.bin": bytes(50_000)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(ArchiveError, match="ZIP bomb"):
        read_members(content, SIZES)


def test_compression_that_is_not_allowed_is_refused() -> None:
    content = packed(method=zipfile.ZIP_DEFLATED)
    with pytest.raises(ArchiveError, match=r"a\.txt is encrypted, or compressed in a way"):
        read_members(content, SIZES, packings=(zipfile.ZIP_STORED,))


def test_stored_member_that_is_longer_than_it_says_is_damaged() -> None:
    content = bytearray(packed())
    entry = content.rindex(b"b.bin") - 46
    struct.pack_into("<L", content, entry + 24, 200)
    with pytest.raises(DamagedArchiveError, match="not as long as it says"):
        read_members(bytes(content), SIZES)


def test_long_directory_is_not_parsed() -> None:
    content = bytearray(packed())
    struct.pack_into("<L", content, len(content) - 10, 1 << 20)
    with pytest.raises(ArchiveError, match="lists 2 members"):
        read_members(bytes(content), SIZES)


@given(share=st.floats(0, 1, exclude_max=True))
def test_archive_cut_anywhere_is_refused(share: float) -> None:
    content = packed()
    with pytest.raises(ArchiveError):
        read_members(content[: int(share * len(content))], SIZES)
