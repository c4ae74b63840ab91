import io
import json
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from apple_clf.errors import ArtifactError
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.runs.bundle import MEMBERS, bundle_bytes, read_bundle
from apple_clf.runs.model_record import ModelRecord

MODEL = bytes(range(256)) * 40
RECORD = ModelRecord(
    class_names=("äpfel", "pear"),
    positive_class="pear",
    preprocessing=Preprocessing(),
    threshold=0.5,
    temperature=1.5,
    keras_version="3.15.1",
    keras_sha256="0" * 64,
    litert_sha256=sha256(MODEL).hexdigest(),
)
GOOD = bundle_bytes(RECORD, MODEL, name="a.zip")


def members() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(contents: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def renamed(old: str, new: str) -> bytes:
    return packed({new if name == old else name: each for name, each in members().items()})


def twice() -> bytes:
    contents = members()
    del contents["README.txt"]
    buffer = io.BytesIO(packed(contents))
    with zipfile.ZipFile(buffer, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        archive.writestr("model.json", b"{}")
    return buffer.getvalue()


def bomb() -> bytes:
    contents = members() | {"README.txt": bytes(50_000_000)}
    return packed(contents, zipfile.ZIP_DEFLATED)


def lying_about_its_size() -> bytes:
    """The directory says that the last member is a gigabyte long."""
    at = GOOD.rindex(b"PK\x01\x02")
    return GOOD[: at + 20] + struct.pack("<LL", 1 << 30, 1 << 30) + GOOD[at + 28 :]


def many_members() -> bytes:
    return packed({f"{i}": b"" for i in range(2_000)})


def with_record(**keys: object) -> bytes:
    content = json.loads(members()["model.json"]) | keys
    return packed(members() | {"model.json": json.dumps(content).encode()})


HOSTILE: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "no_zip": lambda: b"hello" * 100,
    "truncated": lambda: GOOD[:-30],
    "truncated_early": lambda: GOOD[:5_000],
    "something_added": lambda: GOOD + b"x",
    "something_before": lambda: b"x" + GOOD,
    "no_members": lambda: packed({}),
    "missing_member": lambda: packed({"model.json": b"{}", "README.txt": b""}),
    "extra_member": lambda: packed(members() | {"evil.py": b""}),
    "many_members": many_members,
    "same_name_twice": twice,
    "path_above": lambda: renamed("README.txt", "../README.txt"),
    "absolute_path": lambda: renamed("README.txt", "/README.txt"),
    "folder": lambda: renamed("README.txt", "model.tflite/"),
    "compressed": lambda: packed(members(), zipfile.ZIP_DEFLATED),
    "bomb": bomb,
    "size_that_lies": lying_about_its_size,
    "other_weights": lambda: packed(members() | {"model.tflite": MODEL[:-1] + b"?"}),
    "changed_byte": lambda: GOOD[:6_000] + bytes([GOOD[6_000] ^ 1]) + GOOD[6_001:],
    "record_no_json": lambda: packed(members() | {"model.json": b"\xff"}),
    "record_newer": lambda: with_record(format_version=99),
    "record_of_other_weights": lambda: with_record(litert_sha256="1" * 64),
}


def test_round_trip_keeps_record_and_model(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(GOOD)
    assert read_bundle(path) == (RECORD, MODEL)


def test_same_model_gives_the_same_bytes_and_any_unzip_reads_them() -> None:
    assert bundle_bytes(RECORD, MODEL, name="a.zip") == GOOD
    assert bundle_bytes(replace(RECORD, temperature=2.0), MODEL, name="a.zip") != GOOD
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == list(MEMBERS)
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        readme = archive.read("README.txt").decode()
    assert "It tells apart: äpfel, pear." in readme
    assert "apple-clf predict picture.png --run a.zip" in readme


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_whatever_is_not_a_whole_bundle_is_refused(
    make: Callable[[], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(make())
    with pytest.raises(ArtifactError, match=r"a\.zip"):
        read_bundle(path)


def test_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot be read: Is a directory"):
        read_bundle(tmp_path)
