"""Wrappers that count a process's changes to files below a folder, and break one of them.

They are installed in a process that is about to train; `apple_clf` knows nothing of them. A change
is a write(2) of a file opened through pathlib, an fsync, a rename, a new folder or a deletion.
Between two of them nothing on the disk changes but an empty temporary file, so a kill just after
one is the same as a kill just before the next.
"""

import errno
import io
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

Fault = Callable[[int, str], None]
"""Told the number of a change, from 0, and its name, before it is made."""


class HalfWrittenError(Exception):
    """Asks for half of a write to be made before what it carries is called."""

    def __init__(self, then: Callable[[], None]) -> None:
        super().__init__()
        self.then = then


def recorder(log: Path) -> Fault:
    """A fault that is none: it writes the name of each change into a file."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def record(number: int, name: str) -> None:
        os.write(descriptor, f"{name}\n".encode())

    return record


def kill_at(at: int) -> Fault:
    """Kills the process before a change."""

    def fault(number: int, name: str) -> None:
        if number == at:
            _die()

    return fault


def kill_half_way_at(at: int) -> Fault:
    """Kills the process when half the bytes of a write are written; before any other change."""

    def fault(number: int, name: str) -> None:
        if number == at and name == "write":
            raise HalfWrittenError(_die)
        if number == at:
            _die()

    return fault


def disk_full_from(at: int) -> Fault:
    """Lets a write stop half way for want of space, and each that follows; new folders too."""

    def fault(number: int, name: str) -> None:
        if number >= at and name == "write":
            raise HalfWrittenError(_no_space)
        if number >= at and name in {"mkdir", "fsync"}:
            _no_space()

    return fault


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _no_space() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Injector:
    """Calls a fault before each change to files below a folder."""

    def __init__(self, root: Path, fault: Fault) -> None:
        self.root = os.path.join(os.path.realpath(root), "")  # noqa: PTH118 (the text is compared)
        self.fault = fault
        self.number = 0

    def install(self) -> None:
        """Replaces the functions that pathlib and this package change files with."""
        for name in ("mkdir", "unlink", "replace", "fsync"):
            setattr(os, name, self._wrapped(name, getattr(os, name)))
        io.open = self._opening(io.open)

    def before(self, name: str) -> None:
        """Counts a change that is about to be made."""
        number, self.number = self.number, self.number + 1
        self.fault(number, name)

    def _wrapped(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(target: Any, *arguments: Any, **named: Any) -> Any:
            gone = name == "unlink" and not os.path.lexists(target)
            if self._is_below(target) and not gone:
                self.before(name)
            return function(target, *arguments, **named)

        return wrapper

    def _opening(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
            if mode == "wb" and self._is_below(file):
                return io.BufferedWriter(_CountedFile(file, self))
            return function(file, mode, *arguments, **named)

        return wrapper

    def _is_below(self, target: Any) -> bool:
        if isinstance(target, int):
            return True  # only whole_file flushes descriptors, and those only below the root
        path: str = os.path.realpath(target)
        return path.startswith(self.root)


class _CountedFile(io.FileIO):
    def __init__(self, file: Any, injector: Injector) -> None:
        super().__init__(file, "wb")
        self.injector = injector

    def write(self, content: Any) -> int:
        try:
            self.injector.before("write")
        except HalfWrittenError as half:
            view = memoryview(content)
            super().write(view[: len(view) // 2])
            half.then()
        return super().write(content)
