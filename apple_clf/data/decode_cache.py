"""Decoded folders kept on disk, so that a second training on the same files decodes nothing.

The cache of a folder is `pixels`, the bytes of a picture for each distinct file content, and
`index`, which maps each file to its picture below a line with the SHA-256 of both. A file whose
size, inode and times are as recorded is trusted; one that differs is read again, and decoded only
if its own SHA-256 is new. Bad files are tried again each time, as memory may have been short. A
cache that is damaged, or of another version, counts as empty: it may be deleted at any time.
"""

import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from apple_clf.arrays import UInt8Array
from apple_clf.errors import FileSystemError, ImageError
from apple_clf.images import loading
from apple_clf.images.decoding import read_file
from apple_clf.images.preprocessing import PREPROCESSING_VERSION, Preprocessing
from apple_clf.io.files import whole_file, write_whole
from apple_clf.io.large_arrays import cache_folder, empty_pixels
from apple_clf.io.parallel import map_chunks

CACHE_VERSION = 2
PIXELS, INDEX = "pixels", "index"

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
    n_decoded: int  # pictures that were not in the cache
    largest: list[int]  # value in file i if it is gray of 16 bits, else 0


class _Entry(NamedTuple):  # one for each file: made and compared faster than a dataclass
    """What is known of one good file."""

    signature: tuple[int, ...]  # empty: never matches, so the file is read again
    digest: str  # SHA-256 of its bytes
    row: int
    largest: int  # value, of gray of 16 bits; 0 of any other


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a worker found in one file; no pixels and no reason if the content is known."""

    signature: tuple[int, ...]
    digest: str
    pixels: UInt8Array | None = None
    reason: str = ""
    largest: int = 0


def decode_files(
    names: Sequence[str],
    contract: Preprocessing,
    *,
    root: Path,
    on_progress: Progress = lambda done, total: None,
) -> DecodedFiles:
    """The prepared pixels of many files, decoded on all cores unless they are cached.

    Args:
        names: image files.
        contract: how they are prepared.
        root: the folder they belong to; each folder and contract has a cache of its own.
        on_progress: called with the number of files read and the number to read.

    Raises:
        MemoryLimitError: memory ran out while decoding.
    """
    home = _home(root, contract)
    known, pixels = _read(home, contract.shape)
    stale = [name for name in names if _has_changed(name, known.get(name))]
    changed, new, bad = _read_again(
        stale, {entry.digest: entry for entry in known.values()}, contract, on_progress
    )
    found = known | changed
    entries = {name: found[name] for name in names if name not in bad}
    entries |= {  # of a split that is not asked for now, but may be next time
        name: entry
        for name, entry in known.items()
        if name not in entries and name not in bad and not _has_changed(name, entry)
    }
    if entries != known:
        pixels, entries = _compact(pixels, new, entries)
        _write(home, entries, pixels)
    return DecodedFiles(
        pixels=pixels,
        rows=[-1 if name in bad else entries[name].row for name in names],
        reasons={i: bad[name] for i, name in enumerate(names) if name in bad},
        n_decoded=len(new),
        largest=[0 if name in bad else entries[name].largest for name in names],
    )


def _read_again(
    stale: Sequence[str],
    contents: dict[str, _Entry],
    contract: Preprocessing,
    on_progress: Progress,
) -> tuple[dict[str, _Entry], UInt8Array, dict[str, str]]:
    """Entries of the good files, pixels that follow the known rows, reasons of the bad files.

    Args:
        stale: names of the files to read.
        contents: an entry of each known content, by its SHA-256; those that are new are added.
        contract: how files are prepared.
        on_progress: called with the number of files read and the number to read.
    """
    entries: dict[str, _Entry] = {}
    new, n_new = empty_pixels((len(stale), *contract.shape)), 0
    bad: dict[str, str] = {}
    n_known = max((entry.row for entry in contents.values()), default=-1) + 1
    done = 0
    unread = iter(stale)
    for readings in map_chunks(partial(_Reader, contract, frozenset(contents)), stale):
        for reading, name in zip(readings, unread, strict=False):  # in step with `stale`
            if reading.reason:
                bad[name] = reading.reason
                continue
            if reading.digest not in contents and reading.pixels is not None:
                contents[reading.digest] = _Entry(
                    (), reading.digest, n_known + n_new, reading.largest
                )
                new[n_new] = reading.pixels
                n_new += 1
            entries[name] = contents[reading.digest]._replace(signature=reading.signature)
        done += len(readings)
        on_progress(done, len(stale))
    return entries, new[:n_new], bad


class _Reader:
    """Reads, hashes and, if the content is new, decodes files; lives in each worker process."""

    def __init__(self, contract: Preprocessing, known_digests: frozenset[str]) -> None:
        self.contract = contract
        self.known_digests = known_digests

    def __call__(self, names: list[str]) -> list[_Reading]:
        return [self._read(name) for name in names]

    def _read(self, path: str) -> _Reading:
        signature = _signature(path)
        try:
            content = read_file(path)
        except ImageError as error:
            return _Reading((), "", reason=str(error))
        if _signature(path) != signature:
            return _Reading((), "", reason="changed while it was read")
        age = time.time_ns() - max(signature[1:3])
        if age < SETTLED_NS:  # also when the clock was put back
            signature = ()
        digest = hashlib.sha256(content).hexdigest()
        if digest in self.known_digests:
            return _Reading(signature, digest)
        try:
            loaded = loading.load(content, self.contract)
        except ImageError as error:
            return _Reading(signature, digest, reason=str(error))
        return _Reading(signature, digest, pixels=loaded.pixels, largest=loaded.largest)


def _compact(
    pixels: UInt8Array, new: UInt8Array, entries: dict[str, _Entry]
) -> tuple[UInt8Array, dict[str, _Entry]]:
    """Pixels of the entries alone, in their order, and the entries with their new rows."""
    moved: dict[int, int] = {}
    for entry in entries.values():
        moved.setdefault(entry.row, len(moved))
    n_old = len(pixels)
    compacted = empty_pixels((len(moved), *pixels.shape[1:]))
    for old, row in moved.items():
        compacted[row] = pixels[old] if old < n_old else new[old - n_old]
    return compacted, {
        name: entry._replace(row=moved[entry.row]) for name, entry in entries.items()
    }


def _signature(path: str) -> tuple[int, ...]:
    """What changes with a file: size, times in nanoseconds, inode; empty if it cannot be told."""
    try:
        status = os.stat(path)  # noqa: PTH116 (called for every file of a folder)
    except OSError:
        return ()
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def _has_changed(name: str, entry: _Entry | None) -> bool:
    return entry is None or not entry.signature or _signature(name) != entry.signature


def _home(root: Path, contract: Preprocessing) -> Path:
    identity = f"{CACHE_VERSION} {PREPROCESSING_VERSION} {contract!r} {root.resolve()}"
    key = hashlib.sha256(os.fsencode(identity)).hexdigest()[:32]
    return cache_folder() / "decoded" / key


def _read(home: Path, shape: tuple[int, int, int]) -> tuple[dict[str, _Entry], UInt8Array]:
    """The cache as it was written, or an empty one."""
    empty: tuple[dict[str, _Entry], UInt8Array] = ({}, np.empty((0, *shape), np.uint8))
    try:
        digest, _, index = (home / INDEX).read_bytes().partition(b"\n")
        with (home / PIXELS).open("rb") as file:
            pixels = empty_pixels((os.fstat(file.fileno()).st_size,))
            file.readinto(pixels.data)
    except OSError:
        return empty
    if digest != _digest(pixels, index):
        logger.debug("the decode cache %s is damaged and made again", home)
        return empty
    entries = {
        name: _Entry(tuple(signature), *rest) for name, signature, *rest in json.loads(index)
    }
    return entries, pixels.reshape(-1, *shape)


def _write(home: Path, entries: dict[str, _Entry], pixels: UInt8Array) -> None:
    """Keeps the cache; where that fails, the next training decodes again."""
    index = json.dumps([(name, *entry) for name, entry in entries.items()]).encode()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with whole_file(home / PIXELS) as file:
            file.write(pixels.data)
        write_whole(home / INDEX, _digest(pixels, index) + b"\n" + index)
    except (OSError, FileSystemError) as error:
        logger.debug("decoded images are not kept for the next time: %s", error)


def _digest(pixels: UInt8Array, index: bytes) -> bytes:
    """Hexadecimal SHA-256 of both files, which so are known to belong together."""
    digest = hashlib.sha256(pixels.data)
    digest.update(index)
    return digest.hexdigest().encode()
