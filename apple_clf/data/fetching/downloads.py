"""Public files -> a folder of ours: resumed after any stop, checked, whole or not there at all.

Pooch decides whether a file is there, checks its sum and moves it into place. Its own downloaders
begin anew after every stop, so the bytes come through `transfer`, which goes on where it stopped.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

from apple_clf.data.fetching.transfer import transfer
from apple_clf.errors import ConfigError, DataError, LockedError, MissingExtraError
from apple_clf.io.files import cannot_write, printable, write_whole

MIRROR = "APPLE_CLF_MIRROR"
"""Variable that names another server with the same files under the same paths."""

FileProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Received:
    """One file as it came."""

    path: Path
    url: str
    n_bytes: int
    sha256: str


class Downloads:
    """Files of public sources in one folder, which no other process uses meanwhile."""

    def __init__(self, folder: Path, *, on_progress: FileProgress) -> None:
        self.received: list[Received] = []
        self._folder = folder
        self._on_progress = on_progress
        self._pooch = _import_pooch()

    @contextmanager
    def file(
        self, url: str, *, name: str, n_bytes: int, checksum: str | None = None
    ) -> Iterator[Received]:
        """A file, downloaded if it is not there; deleted again if the block finds it unfit.

        Args:
            url: where it is published.
            name: its name in the folder.
            n_bytes: how much of it to take at most, from its start.
            checksum: as the publisher gives it, like md5:0123...; without one the SHA-256 of the
                first download is remembered, so that later damage shows.

        Raises:
            DataError: it cannot be had, or its checksum is another; or the block raised it.
            FileSystemError: the folder cannot be written.
        """
        path, noted = self._folder / name, self._folder / f"{name}.sha256"
        url = mirrored(url)

        def download(url: str, output: str, _: object) -> None:
            part = path.with_name(f"{name}.part")
            transfer(
                url,
                part,
                n_bytes=n_bytes,
                on_progress=lambda *sizes: self._on_progress(name, *sizes),
            )
            part.replace(output)

        try:
            known = checksum or (noted.read_text("utf-8") if noted.exists() else None)
            self._pooch.retrieve(url, known, fname=name, path=self._folder, downloader=download)
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            write_whole(noted, f"sha256:{sha256}")
            received = Received(path, url, path.stat().st_size, sha256)
        except ValueError as error:  # so Pooch says that a checksum is another
            _forget(path, noted)
            raise DataError(
                f"{printable(url)}: what came is damaged or was changed: its checksum is not the "
                "one that is known. Fetch it again."
            ) from error
        except OSError as error:
            raise cannot_write(path, error) from error
        try:
            yield received
        except DataError:
            _forget(path, noted)
            raise
        self.received.append(received)


def _forget(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Makes a folder, keeps other processes out of it, clears what a killed one left of Pooch's.

    Raises:
        LockedError: another process is fetching into it.
        FileSystemError: it cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / ".lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
        for leftover in folder.glob("tmp*"):
            leftover.unlink()
    except Timeout:
        raise LockedError(
            f"{printable(folder)}: another process is fetching into this folder. Wait for it."
        ) from None
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def mirrored(url: str) -> str:
    """The address to ask: the publisher's, or the same path below APPLE_CLF_MIRROR.

    Only the variable can name a mirror, never an experiment, so a file from a stranger cannot send
    anyone to his server. A mirror is trusted with no more than pictures: the one format that could
    do harm is read only if its checksum, which stands in our code, is right.

    Raises:
        ConfigError: the variable holds no web address.
    """
    mirror = os.environ.get(MIRROR)
    if not mirror:
        return url
    if urlsplit(mirror).scheme not in {"http", "https"} or not urlsplit(mirror).netloc:
        raise ConfigError(
            f"{MIRROR} is {printable(mirror)!r}, which is not a web address. "
            "Set it to one like https://mirror.example, or unset it."
        )
    return mirror.rstrip("/") + urlsplit(url).path


def _import_pooch() -> ModuleType:
    """Pooch, told to keep its log to itself.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import pooch
    except ImportError as error:
        raise MissingExtraError(
            "Fetching data needs pooch. Install it: pip install 'apple-clf[fetch]'"
        ) from error
    pooch.get_logger().setLevel("WARNING")
    module: ModuleType = pooch
    return module
