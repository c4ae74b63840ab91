"""Which image is answered in which shard: decided once, before anything is answered.

The names of all images lie in `_files`, one a line, and a shard is so many lines of it. What
was asked lies in `_manifest.json`, with the hash of the names. Both names begin with a line, which
readers of Parquet folders pass over.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from apple_clf.errors import ArtifactError, ConfigError, DataError
from apple_clf.io.files import (
    Skipped,
    cannot_write,
    printable,
    remove_leftovers,
    whole_file,
    write_whole,
)
from apple_clf.runs import Run, locked
from apple_clf.runs.model_record import ModelRecord

FORMAT_VERSION = 1
SHARD_SIZE = 2048
"""Images of a shard: seconds of work, so that a kill costs seconds."""

ShardFormat = Literal["parquet", "jsonl"]


@dataclass(frozen=True)
class Asked:
    """What a command asks for, in words that mean the same in every folder."""

    images: Sequence[str]  # as named on the command line, absolute
    model: str  # SHA-256 of its record, which holds those of its weights
    format: ShardFormat
    shard_size: int


@dataclass(frozen=True)
class Shard:
    """Images that are answered together, into one file."""

    files: Path  # with the names of all images
    offset: int  # of its first name, in bytes
    size: int  # images at most
    path: Path

    def names(self) -> list[str | Skipped]:
        """Its images, or why a path is none."""
        with self.files.open("rb") as lines:
            lines.seek(self.offset)
            found = [json.loads(line) for line in islice(lines, self.size)]
        return [item if isinstance(item, str) else Skipped(*item) for item in found]


@dataclass(frozen=True)
class Plan:
    """All shards of a folder of answers."""

    out: Path
    folder: Path  # in which relative names of images begin
    images: Sequence[str]  # what was asked for
    n_images: int  # that were found
    shards: Sequence[Shard]


def asked_for(
    images: Sequence[str], record: ModelRecord, *, format_: ShardFormat, shard_size: int | None
) -> Asked:
    """What is asked for.

    Args:
        images: as named on the command line.
        record: of the model.
        format_: of the shards.
        shard_size: images of a shard.
    """
    absolute = [os.path.abspath(name) for name in images]  # noqa: PTH100 (links and globs stay)
    model = hashlib.sha256(record.to_json().encode()).hexdigest()
    return Asked(absolute, model, format_, shard_size or SHARD_SIZE)


@contextmanager
def opened_plan(out: Path, asked: Asked, files: Iterable[str | Skipped]) -> Iterator[Plan]:
    """The plan of a folder of answers: the one that stands there, or a new one.

    No other process gets at the folder while the block lasts.

    Args:
        out: folder of the answers.
        asked: what it is to hold.
        files: the images, in order; not looked at where a plan stands.

    Raises:
        ArtifactError: the plan there is damaged, or of a newer version.
        ConfigError: the folder holds something else.
        DataError: there is no image.
        FileSystemError: the folder cannot be written.
        LockedError: another process is at work on it.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(out, error) from error
    with locked(Run(out)):
        remove_leftovers(out)
        if not manifest_of(out).exists():
            _make_plan(out, asked, files)
        yield _read_plan(out, asked)


def _make_plan(out: Path, asked: Asked, files: Iterable[str | Skipped]) -> None:
    if any(path.name[0] not in "._" for path in out.iterdir()):
        raise ConfigError(f"{printable(out)}: not empty. Give --out a new folder.")
    n_images = 0
    with whole_file(_files_of(out)) as lines:
        for file in files:
            item = file if isinstance(file, str) else [file.path, file.reason]
            lines.write(json.dumps(item).encode() + b"\n")
            n_images += 1
        if not n_images:
            raise DataError("no image to answer. Name image files or a folder that holds some.")
    content = {
        "format_version": FORMAT_VERSION,
        "asked": asdict(asked),
        "folder": str(Path.cwd()),
        "n_images": n_images,
        "files_sha256": _scan(_files_of(out), asked.shard_size)[1],
    }
    write_whole(manifest_of(out), json.dumps(content, indent=2) + "\n")


def _read_plan(out: Path, asked: Asked) -> Plan:
    try:
        content = json.loads(manifest_of(out).read_bytes())
        planned = Asked(**content["asked"])
        offsets, sha256 = _scan(_files_of(out), planned.shard_size)
        is_sound = content["format_version"] == FORMAT_VERSION and content["files_sha256"] == sha256
    except (OSError, ValueError, TypeError, KeyError):
        is_sound = False
    if not is_sound:
        raise ArtifactError(
            f"{printable(out)}: its _manifest.json or _files is damaged, or of a newer "
            "version, so it cannot go on. Give --out a new folder."
        )
    for name, value in asdict(asked).items():
        if value != getattr(planned, name):
            raise ConfigError(
                f"{printable(out)}: begun with another {name}. Ask what was asked then, or give "
                "--out a new folder."
            )
    shards = [
        Shard(
            _files_of(out),
            offset,
            asked.shard_size,
            out.absolute() / f"part-{number:05d}.{asked.format}",
        )
        for number, offset in enumerate(offsets)
    ]
    folder = Path(content["folder"])
    return Plan(out.absolute(), folder, planned.images, content["n_images"], shards)


def manifest_of(out: Path) -> Path:
    """Where the plan of a folder of answers lies."""
    return out / "_manifest.json"


def _files_of(out: Path) -> Path:
    return out.absolute() / "_files"


def _scan(path: Path, shard_size: int) -> tuple[list[int], str]:
    """Where each shard begins in the file of names, and its SHA-256."""
    offsets, digest, offset = [], hashlib.sha256(), 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines):
            if number % shard_size == 0:
                offsets.append(offset)
            digest.update(line)
            offset += len(line)
    return offsets, digest.hexdigest()
