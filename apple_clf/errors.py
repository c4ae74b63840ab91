"""Every error this package raises on purpose, with the exit code the command line gives it.

AppleClfError
├── ConfigError          2  an experiment, an override or an argument that cannot be used
│   └── MissingExtraError   a part that was not installed
├── DataError            3  input data that cannot be used
│   └── ImageError          one image file that cannot be used
├── ArtifactError        4  a model or run that is missing, corrupt or does not fit
├── FileSystemError      5  the file system refused
├── LockedError          6  another process is at work on the same run
├── DivergedError        7  training produced NaN or infinity
└── MemoryLimitError     8  memory ran out

A message says what, where, the cause and the next step, in a line or two. Exit code 1 is left to
bugs, 130 and 143 to signals.
"""

from typing import ClassVar


class AppleClfError(Exception):
    """Base of all errors raised on purpose; str() is what the user reads."""

    exit_code: ClassVar[int] = 1


class ConfigError(AppleClfError):
    """An experiment, an override or a command-line argument cannot be used."""

    exit_code = 2


class MissingExtraError(ConfigError):
    """A command needs an optional part that is not installed."""


def not_installed(name: str) -> MissingExtraError:
    """The error for a package that the small install lacks, which only predicts and evaluates."""
    return MissingExtraError(f"This needs {name}, which is not installed: pip install apple-clf")


class DataError(AppleClfError):
    """Input data cannot be used."""

    exit_code = 3


class ImageError(DataError):
    """One image file cannot be used; str() is the reason, without the file's name."""


class ArtifactError(AppleClfError):
    """A model or run is missing, corrupt, too new, or does not fit what is asked of it."""

    exit_code = 4


class FileSystemError(AppleClfError):
    """The file system refused to read or write."""

    exit_code = 5


class LockedError(AppleClfError):
    """Another process is at work on the same run."""

    exit_code = 6


class DivergedError(AppleClfError):
    """Training produced NaN or infinity."""

    exit_code = 7


class MemoryLimitError(AppleClfError):
    """Memory ran out."""

    exit_code = 8
