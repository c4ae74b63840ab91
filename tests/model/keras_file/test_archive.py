import io
import struct
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apple_clf.errors import ArtifactError
from apple_clf.model.keras_file.archive import MAX_WEIGHTS, read_archive
from model.keras_file.hostile import pack, weights

SOUND = pack()


def test_members_are_those_that_were_packed() -> None:
    archive = read_archive(pack(b"{}", h5=b"abc", metadata={"keras_version": "3.10.0"}))
    assert (archive.keras_version, archive.config, archive.weights) == ("3.10.0", b"{}", b"abc")


def test_file_packed_again_by_hand_is_read() -> None:
    assert read_archive(pack(packing=zipfile.ZIP_DEFLATED)) == read_archive(SOUND)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(weights(), "HDF5", id="h5 renamed"),
        pytest.param(b"\x1c\0\0\0TFL3", "LiteRT", id="tflite renamed"),
        pytest.param(b"a text\n", "no .keras file", id="text"),
    ],
)
def test_fault_41_other_formats_are_refused_by_name(content: bytes, reason: str) -> None:
    with pytest.raises(ArtifactError, match=reason):
        read_archive(content)


@given(share=st.floats(0, 1, exclude_max=True))
def test_fault_40_truncated_file_is_refused(share: float) -> None:
    with pytest.raises(ArtifactError):
        read_archive(SOUND[: int(share * len(SOUND))])


@settings(max_examples=300)
@given(bit=st.integers(0, 8 * len(SOUND) - 1))
def test_fault_40_flipped_bit_is_refused_or_changes_no_member(bit: int) -> None:
    content = bytearray(SOUND)
    content[bit // 8] ^= 1 << bit % 8
    try:
        archive = read_archive(bytes(content))
    except ArtifactError:
        return
    assert archive == read_archive(SOUND)


@pytest.mark.parametrize(
    "name",
    [
        "assets/words.txt",
        "../evil",
        "/etc/evil",
        "model.weights.npz",
        "CONFIG.JSON",
        "config.json/",
    ],
)
def test_fault_42_member_that_keras_does_not_write_is_refused(name: str) -> None:
    with pytest.raises(ArtifactError, match="4 members"):
        read_archive(pack(more={name: b"x"}))


@pytest.mark.parametrize("name", ["../config.json", "/config.json", "model.weights.npz"])
def test_fault_42_member_under_another_name_is_refused(name: str) -> None:
    with pytest.raises(ArtifactError, match=name):
        read_archive(_renamed("config.json", name))


def test_fault_42_same_member_twice_is_refused() -> None:
    with pytest.raises(ArtifactError, match="twice"):
        read_archive(_renamed("metadata.json", "config.json"))


def _renamed(name: str, new: str) -> bytes:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(SOUND)) as source,
        zipfile.ZipFile(buffer, "w") as target,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("warnings.warn", lambda *_, **__: None)  # of the name that is there twice
        for info in source.infolist():
            target.writestr(new if info.filename == name else info.filename, source.read(info))
    return buffer.getvalue()


def _declaring(content: bytes, *, member: str, size: int) -> bytes:
    """The ZIP with another uncompressed size of a member, wherever it is written."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start = archive.getinfo(member).header_offset
    changed = bytearray(content)
    struct.pack_into("<L", changed, start + 22, size)
    entry = changed.rfind(member.encode()) - 46
    assert changed[entry : entry + 4] == b"PK\x01\x02"
    struct.pack_into("<L", changed, entry + 24, size)
    return bytes(changed)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(
            lambda: pack(h5=b"\0" * 10_000_000, packing=zipfile.ZIP_DEFLATED),
            "ZIP bomb",
            id="grows 1000 times",
        ),
        pytest.param(
            lambda: _declaring(SOUND, member="model.weights.h5", size=MAX_WEIGHTS + 1),
            "at most 1,073,741,824 are read",
            id="declares too much",
        ),
        pytest.param(
            lambda: _declaring(
                pack(h5=b"\0" * 10_000_000, packing=zipfile.ZIP_DEFLATED),
                member="model.weights.h5",
                size=5000,
            ),
            "corrupt",
            id="declares too little",
        ),
        pytest.param(
            lambda: pack(b'"' + b" " * (1 << 22) + b'"'), "at most 4,194,304", id="long config"
        ),
    ],
)
def test_fault_42_zip_bomb_is_refused(make: Callable[[], bytes], reason: str) -> None:
    with pytest.raises(ArtifactError, match=reason):
        read_archive(make())


def test_fault_42_zip_that_declares_ten_gigabytes_is_refused() -> None:
    """In the record of a ZIP64, as the size needs it."""
    content = bytearray(SOUND)
    end = len(content) - 22
    extra = struct.pack("<HHQ", 1, 8, 10 * 10**9)
    entry = content.rfind(b"model.weights.h5") - 46
    struct.pack_into("<L", content, entry + 24, 0xFFFFFFFF)
    struct.pack_into("<H", content, entry + 30, len(extra))
    at = entry + 46 + len("model.weights.h5")
    content[at:at] = extra
    (size,) = struct.unpack_from("<L", content, end + len(extra) + 12)
    struct.pack_into("<L", content, end + len(extra) + 12, size + len(extra))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.getinfo("model.weights.h5").file_size == 10 * 10**9
    with pytest.raises(ArtifactError, match="declares 10,000,000,000 bytes"):
        read_archive(bytes(content))


def test_fault_42_list_of_many_members_is_not_even_parsed() -> None:
    with pytest.raises(ArtifactError, match="lists 1003 members"):
        read_archive(pack(more={f"{i}": b"" for i in range(1000)}))


def test_fault_42_comment_that_could_hide_a_second_end_is_refused() -> None:
    with pytest.raises(ArtifactError, match="has a comment"):
        read_archive(SOUND[:-2] + struct.pack("<H", 22) + SOUND[-22:-2] + b"xx")


def test_fault_42_encrypted_member_is_refused() -> None:
    content = bytearray(SOUND)
    entry = content.rfind(b"config.json") - 46
    content[entry + 8] |= 1
    with pytest.raises(ArtifactError, match="encrypted"):
        read_archive(bytes(content))


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "lzma"])
def test_fault_42_packing_that_keras_does_not_use_is_refused(packing: int) -> None:
    with pytest.raises(ArtifactError, match="compressed in a way"):
        read_archive(pack(packing=packing))


@pytest.mark.parametrize(
    "metadata",
    [[], {"a": 1}, {"keras_version": 3}, {"keras_version": "new"}, {"keras_version": "9" * 9}],
    ids=str,
)
def test_metadata_without_a_version_are_refused(metadata: object) -> None:
    with pytest.raises(ArtifactError, match="names no Keras version"):
        read_archive(pack(metadata=metadata or [1]))
