"""C++ libraries kept from writing to a user's terminal."""

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

WANTS_LOG = os.environ.get("TF_CPP_MIN_LOG_LEVEL") in {"0", "1"}
"""Whether the user asked for TensorFlow's greetings and warnings; 2 and 3 ask for silence."""


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Holds back what is written to stderr, and shows it if the block fails.

    It works on the file descriptor, since C++ does not ask Python. The process has one, so what
    other threads write meanwhile is held back too; blocks of several threads may overlap. Whoever
    sets TF_CPP_MIN_LOG_LEVEL to 0 or 1 wants to see the log, and sees it.
    """
    if WANTS_LOG or not _enter():
        yield
        return
    start = _size_held()
    try:
        yield
    except BaseException:
        _show(start)
        raise
    finally:
        _leave()


class _Redirection(NamedTuple):
    """Where stderr was, and where it goes while a block runs."""

    stderr: int
    held_back: BinaryIO


_lock = threading.Lock()
_redirections: list[_Redirection] = []
"""One for each block that runs; all are the same, made by the first and undone by the last."""


def _enter() -> bool:
    """Redirects stderr, unless it is already; False if it is closed: nothing is to keep quiet."""
    with _lock:
        if not _redirections:
            try:
                stderr = os.dup(2)
            except OSError:
                return False
            held_back = tempfile.TemporaryFile()  # noqa: SIM115 (the last block closes it)
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(held_back.fileno(), 2)
            _redirections.append(_Redirection(stderr, held_back))
        else:
            _redirections.append(_redirections[0])
        return True


def _leave() -> None:
    with _lock:
        stderr, held_back = _redirections.pop()
        if not _redirections:
            os.dup2(stderr, 2)
            os.close(stderr)
            held_back.close()


def _size_held() -> int:
    """Bytes held back so far."""
    return os.fstat(2).st_size


def _show(start: int) -> None:
    """Writes to the terminal what was held back from a place in the file on."""
    with _lock:
        stderr, held_back = _redirections[0]
        held_back.seek(start)
        os.write(stderr, held_back.read())
