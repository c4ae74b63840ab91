"""What a worker on another machine takes over from the command that it works for."""

import os
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from apple_clf import __version__
from apple_clf.errors import ConfigError, FileSystemError
from apple_clf.io.files import printable


@dataclass(frozen=True)
class Surroundings:
    """Where a command runs, so that names mean the same elsewhere."""

    version: str
    folder: Path  # in which relative names begin
    variables: Mapping[str, str]
    landmarks: Mapping[Path, int | None]  # by when they were changed, in ns; None for at any time

    def take_on(self) -> None:
        """Makes the surroundings those of this process.

        Raises:
            ConfigError: another version is installed here.
            FileSystemError: this machine sees other files.
        """
        here = socket.gethostname()
        if __version__ != self.version:
            raise ConfigError(
                f"{here} has apple-clf {__version__}, not {self.version}. "
                "Install the same on every machine of the cluster."
            )
        for path, changed in self.landmarks.items():
            try:
                found = path.stat().st_mtime_ns
            except OSError:
                found = -1
            if found != changed and (changed is not None or found == -1):
                raise FileSystemError(
                    f"{printable(path)}: {here} does not see it. It must lie on storage that all "
                    "machines of the cluster share, under the same path."
                )
        try:
            os.chdir(self.folder)
        except OSError:
            raise FileSystemError(
                f"{printable(self.folder)}: {here} has no such folder. Start from one that all "
                "machines of the cluster share."
            ) from None
        os.environ.update(self.variables)


def surroundings(folder: Path, *, own: Path, others: Iterable[Path] = ()) -> Surroundings:
    """What workers are to take over from this process.

    Args:
        folder: in which relative names begin.
        own: a file that this command wrote; a worker that sees it as it is shares the storage.
        others: files and folders that workers must see, too.
    """
    landmarks: dict[Path, int | None] = dict.fromkeys(map(_absolute, others))
    landmarks[_absolute(own)] = own.stat().st_mtime_ns
    variables = {name: value for name, value in os.environ.items() if name.startswith("APPLE_CLF_")}
    return Surroundings(__version__, folder, variables, landmarks)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 (a link stays the name it was given by)
