"""A model in one file to hand on: a .zip of model.json, model.tflite and README.txt.

Its members are not compressed, so none is larger than the file, and each is read at its declared
size or not at all. The SHA-256 of the weights is checked before LiteRT sees them.
"""

import io
import zipfile
from pathlib import Path

from apple_clf.errors import ArtifactError
from apple_clf.io.archive import ArchiveError, read_members
from apple_clf.io.files import printable
from apple_clf.runs.model_record import ModelRecord, check_sha256, parse_model_record

RECORD, MODEL, README = "model.json", "model.tflite", "README.txt"
MEMBERS = (RECORD, MODEL, README)

MAX_FILE = 1 << 30
"""Bytes of a bundle that are read at most."""

_MAX_SIZES = dict.fromkeys(MEMBERS, MAX_FILE)

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
        ArtifactError: it is not a bundle, damaged, changed, or made by a newer version.
    """
    try:
        members = read_members(_content(path), _MAX_SIZES, packings=(zipfile.ZIP_STORED,))
    except ArchiveError as error:
        raise _refused(path, str(error)) from error
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


def _refused(path: Path, reason: str) -> ArtifactError:
    return ArtifactError(
        f"{printable(path)}: no bundle of {', '.join(MEMBERS)}: {reason}. "
        "Copy it again, or make it anew: apple-clf export RUN --to bundle"
    )
