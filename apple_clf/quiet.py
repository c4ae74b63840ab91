"""C++ libraries kept from writing to a user's terminal."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

WANTS_LOG = os.environ.get("TF_CPP_MIN_LOG_LEVEL") in {"0", "1"}
"""Whether the user asked for TensorFlow's greetings and warnings; 2 and 3 ask for silence."""


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Holds back what is written to stderr, and shows it if the block fails.

    It works on the file descriptor, since C++ does not ask Python. Whoever sets
    TF_CPP_MIN_LOG_LEVEL to 0 or 1 wants to see the log, and sees it.
    """
    if WANTS_LOG:
        yield
        return
    try:
        stderr = os.dup(2)
    except OSError:  # stderr is closed: there is nothing to keep quiet
        yield
        return
    with tempfile.TemporaryFile() as held_back:
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        except BaseException:
            held_back.seek(0)
            os.write(stderr, held_back.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
