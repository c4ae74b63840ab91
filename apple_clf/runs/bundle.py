"""A model in one file to hand on: a .zip of model.json, model.tflite and README.txt.

Its members are not compressed, so none is larger than the file, and each is read at its declared
size or not at all. The SHA-256 of the weights is checked before LiteRT sees them.
"""

import io
import struct
import zipfile
from pathlib import Path

from apple_clf.errors import ArtifactError
from apple_clf.io.files import printable
from apple_clf.runs.model_record import ModelRecord, check_sha256, parse_model_record

RECORD, MODEL, README = "model.json", "model.tflite", "README.txt"
MEMBERS = (RECORD, MODEL, README)

MAX_FILE = 1 << 30
"""Bytes of a bundle that are read at most."""

_MAX_DIRECTORY = 1 << 10

_README = """\
This is an image classifier made with apple-clf. It tells apart: {class_names}.

Ask it what pictures show (apple-clf must be installed, TensorFlow need not be):

    apple-clf predict picture.png --run {file}

Measure it on pictures that you know, in a folder for each class:

    apple-clf evaluate {file} --data FOLDER

model.tflite    the network, for LiteRT
model.json      names of the classes, how a picture becomes pixels, when it is unsure

Leave the file as it is: a bundle that was packed again is refused.
"""


def bundle_bytes(record: ModelRecord, model: bytes, *, name: str) -> bytes:
    """The content of a bundle, the same bytes for the same model and name.

    Args:
        record: of the model.
        model: its LiteRT file.
        name: of the bundle's file, for its README.
    """
    names = ", ".join(map(printable, record.class_names))
    contents = {
        RECORD: record.to_json().encode(),
        MODEL: model,
        README: _README.format(class_names=names, file=printable(name)).encode(),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for member, content in contents.items():
            archive.writestr(zipfile.ZipInfo(member), content)  # dated 1980
    return buffer.getvalue()


def read_bundle(path: Path) -> tuple[ModelRecord, bytes]:
    """The record and the LiteRT file of a bundle, its SHA-256 checked.

    Raises:
        ArtifactError: it is no bundle, damaged, changed, or made by a newer version.
    """
    members = _members(path, _content(path))
    where = path / RECORD
    record = parse_model_record(members[RECORD], where=where)
    check_sha256(members[MODEL], sha256=record.litert_sha256, where=path / MODEL)
    return record, members[MODEL]


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        raise ArtifactError(
            f"{printable(path)}: cannot be read: {error.strerror or error}. Is it there?"
        ) from error
    if len(content) > MAX_FILE:
        raise _refused(path, f"it is larger than {MAX_FILE:,} bytes")
    return content


def _members(path: Path, content: bytes) -> dict[str, bytes]:
    _check_directory(path, content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
            names = [info.filename for info in infos]
            if sorted(names) != sorted(MEMBERS):
                raise _refused(
                    path, f"it holds {', '.join(printable(name[:80]) for name in names)}"
                )
            for info in infos:
                if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
                    raise _refused(path, f"{info.filename} was packed again")
                if info.file_size != info.compress_size or info.file_size > len(content):
                    raise _refused(path, f"{info.filename} is not as long as it says")
            return {info.filename: archive.read(info) for info in infos}
    except (zipfile.BadZipFile, struct.error, EOFError, OSError, ValueError) as error:
        raise _refused(path, f"it is damaged: {error}") from error


def _check_directory(path: Path, content: bytes) -> None:
    """Looks at the ZIP's last record itself: a list of millions of members is never parsed."""
    if not content.startswith(b"PK\x03\x04"):
        raise _refused(path, "it is no ZIP")
    end = content[-22:]
    if end[:4] != b"PK\x05\x06" or end[-2:] != b"\0\0":
        raise _refused(path, "it is cut off, or something was added")
    count, size = struct.unpack("<HL", end[10:16])
    if content[-42:-38] == b"PK\x06\x07" or count != len(MEMBERS) or size > _MAX_DIRECTORY:
        raise _refused(path, f"it lists {count} members")


def _refused(path: Path, reason: str) -> ArtifactError:
    return ArtifactError(
        f"{printable(path)}: no bundle of {', '.join(MEMBERS)}: {reason}. "
        "Copy it again, or make it anew: apple-clf export RUN --to bundle"
    )
