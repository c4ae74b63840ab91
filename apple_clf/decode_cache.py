"""Decoded folders kept on disk, so that a second training on the same files decodes nothing.

The cache of a folder is `pixels.npy`, a row per distinct file content, and `index.json`, which
maps each file to its row. A file whose size, inode and times are as recorded is trusted; one that
differs is read again, and decoded only if its SHA-256 is new. A cache that is damaged, or of
another version, counts as empty: it may be deleted at any time.
"""

import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from apple_clf import images
from apple_clf.arrays import UInt8Array
from apple_clf.decoding import read_file
from apple_clf.errors import FileSystemError, ImageError
from apple_clf.files import whole_file, write_whole
from apple_clf.parallel import map_chunks
from apple_clf.preprocessing import PREPROCESSING_VERSION, Preprocessing

CACHE_VERSION = 1

SETTLED_NS = 2_000_000_000
"""A file changed this shortly before it is read may change again within one tick of its times."""

logger = logging.getLogger(__name__)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class DecodedFiles:
    """What a list of files holds; `rows[i]` is file i's row in `pixels`, or -1 if it is bad."""

    pixels: UInt8Array  # (n_rows, height, width, channels)
    rows: list[int]
    reasons: dict[int, str]  # why file i is bad
    n_decoded: int  # files that were not in the cache


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is known of one file."""

    signature: tuple[int, ...]  # empty: never matches, so the file is read again
    digest: str  # SHA-256 of its bytes; empty if it could not be read
    row: int  # -1: bad
    reason: str


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a worker found in one file; no pixels and no reason if the content is known."""

    signature: tuple[int, ...]
    digest: str
    pixels: UInt8Array | None = None
    reason: str = ""


def cache_folder() -> Path:
    """Where decoded folders are kept: APPLE_CLF_CACHE, or the platform's folder for caches."""
    from platformdirs import user_cache_path

    return Path(os.environ.get("APPLE_CLF_CACHE") or user_cache_path("apple-clf"))


def decode_files(
    paths: Sequence[Path],
    contract: Preprocessing,
    *,
    root: Path,
    on_progress: Progress = lambda done, total: None,
) -> DecodedFiles:
    """The prepared pixels of many files, decoded on all cores unless they are cached.

    Args:
        paths: image files.
        contract: how they are prepared.
        root: the folder they belong to; each folder and contract has a cache of its own.
        on_progress: called with the number of files read and the number to read.

    Raises:
        MemoryLimitError: memory ran out while decoding.
    """
    home = _home(root, contract)
    known, pixels = _read(home, contract.shape)
    names = [os.fspath(path) for path in paths]
    stale = [name for name in names if _has_changed(name, known.get(name))]
    if stale:
        by_digest = {entry.digest: entry for entry in known.values() if entry.digest}
        new: list[UInt8Array] = []
        worker = partial(_Reader, contract, frozenset(by_digest))
        done = 0
        for readings in map_chunks(worker, stale):
            for name, reading in zip(stale[done:], readings, strict=False):
                entry = _enter(reading, by_digest, n_rows=len(pixels) + len(new))
                if reading.pixels is not None and entry.row == len(pixels) + len(new):
                    new.append(reading.pixels)
                known[name] = entry
            done += len(readings)
            on_progress(done, len(stale))
        pixels, known = _compact(pixels, new, {name: known[name] for name in names})
        _write(home, known, pixels)
        n_decoded = len(new)
    else:
        n_decoded = 0
    entries = [known[name] for name in names]
    return DecodedFiles(
        pixels=pixels,
        rows=[entry.row for entry in entries],
        reasons={i: entry.reason for i, entry in enumerate(entries) if entry.row < 0},
        n_decoded=n_decoded,
    )


class _Reader:
    """Reads, hashes and, if the content is new, decodes files; lives in each worker process."""

    def __init__(self, contract: Preprocessing, known_digests: frozenset[str]) -> None:
        self.contract = contract
        self.known_digests = known_digests

    def __call__(self, names: list[str]) -> list[_Reading]:
        return [self._read(Path(name)) for name in names]

    def _read(self, path: Path) -> _Reading:
        try:
            signature = _signature(path)
            content = read_file(path)
        except (OSError, ImageError) as error:
            return _Reading((), "", reason=str(error))
        age = time.time_ns() - max(signature[1:3])
        if age < SETTLED_NS:  # also when the clock was put back
            signature = ()
        digest = hashlib.sha256(content).hexdigest()
        if digest in self.known_digests:
            return _Reading(signature, digest)
        try:
            return _Reading(signature, digest, pixels=images.load(content, self.contract).pixels)
        except ImageError as error:
            return _Reading(signature, digest, reason=str(error))


def _enter(reading: _Reading, by_digest: dict[str, _Entry], *, n_rows: int) -> _Entry:
    """The entry for a reading; content that was seen before keeps its row."""
    twin = by_digest.get(reading.digest)
    if twin is not None:
        return replace(twin, signature=reading.signature)
    row = -1 if reading.pixels is None else n_rows
    entry = _Entry(reading.signature, reading.digest, row, reading.reason)
    if entry.digest:
        by_digest[entry.digest] = entry
    return entry


def _compact(
    pixels: UInt8Array, new: list[UInt8Array], entries: dict[str, _Entry]
) -> tuple[UInt8Array, dict[str, _Entry]]:
    """Pixels of the entries alone, in their order, and the entries with their new rows."""
    moved: dict[int, int] = {-1: -1}
    for entry in entries.values():
        moved.setdefault(entry.row, len(moved) - 1)
    n_old = len(pixels)
    compacted = np.empty((len(moved) - 1, *pixels.shape[1:]), np.uint8)
    for old, row in moved.items():
        if old >= 0:
            compacted[row] = pixels[old] if old < n_old else new[old - n_old]
    return compacted, {
        name: replace(entry, row=moved[entry.row]) for name, entry in entries.items()
    }


def _signature(path: Path | str) -> tuple[int, ...]:
    status = os.stat(path)  # noqa: PTH116 (called for every file of a folder)
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def _has_changed(name: str, entry: _Entry | None) -> bool:
    if entry is None or not entry.signature:
        return True
    try:
        return _signature(name) != entry.signature
    except OSError:
        return True


def _home(root: Path, contract: Preprocessing) -> Path:
    identity = f"{CACHE_VERSION} {PREPROCESSING_VERSION} {contract!r} {root.resolve()}"
    key = hashlib.sha256(os.fsencode(identity)).hexdigest()[:32]
    return cache_folder() / "decoded" / key


def _read(home: Path, shape: tuple[int, int, int]) -> tuple[dict[str, _Entry], UInt8Array]:
    """The cache as it was written, or an empty one."""
    empty: tuple[dict[str, _Entry], UInt8Array] = ({}, np.empty((0, *shape), np.uint8))
    try:
        index = json.loads((home / "index.json").read_bytes())
        pixels = np.load(home / "pixels.npy", allow_pickle=False)
        entries = {
            name: _Entry(tuple(signature), *rest) for name, signature, *rest in index["entries"]
        }
        intact = (
            pixels.dtype == np.uint8
            and pixels.shape[1:] == shape
            and index["sha256"] == hashlib.sha256(pixels.data).hexdigest()
        )
    except FileNotFoundError:
        return empty
    except (OSError, ValueError, TypeError, KeyError, EOFError) as error:
        logger.debug("the decode cache %s is damaged and made again: %s", home, error)
        return empty
    return (entries, pixels) if intact else empty


def _write(home: Path, entries: dict[str, _Entry], pixels: UInt8Array) -> None:
    """Keeps the cache; where that fails, the next training decodes again."""
    index = {
        "sha256": hashlib.sha256(pixels.data).hexdigest(),
        "entries": [(name, *astuple(entry)) for name, entry in entries.items()],
    }
    try:
        home.mkdir(parents=True, exist_ok=True)
        with whole_file(home / "pixels.npy") as file:
            np.save(file, pixels, allow_pickle=False)
        write_whole(home / "index.json", json.dumps(index))
    except (OSError, FileSystemError) as error:
        logger.debug("decoded images are not kept for the next time: %s", error)
