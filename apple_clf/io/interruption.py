"""Signals that ask a training to stop: after this epoch, or, asked again, at once.

A thread reads the signals, since Python's own handlers wait until C++ comes back, which may be a
whole epoch later. Ending at once is safe: every file is written whole or not at all.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from apple_clf.errors import AppleClfError

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class InterruptedTrainingError(AppleClfError):
    """A signal ended the training after a checkpoint; the exit code is the signal's."""

    def __init__(self, message: str, *, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number  # type: ignore[misc]  # one code per signal


class Interruption:
    """The first signal that came, if any."""

    signal_number: int | None = None

    def __bool__(self) -> bool:
        return self.signal_number is not None


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Within the block a signal is noted, and a second one ends the process at once.

    Outside the main thread, where Python allows no handlers, nothing is changed. A signal that the
    parent process had ignored, as nohup does with SIGHUP, stays ignored.
    """
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    wanted = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    handlers = {number: signal.signal(number, _noted_elsewhere) for number in wanted}
    old_writer = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    thread = threading.Thread(target=_watch, args=(reader, interruption), daemon=True)
    thread.start()
    try:
        yield interruption
    finally:
        signal.set_wakeup_fd(old_writer)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        os.close(writer)
        thread.join()
        os.close(reader)


def _noted_elsewhere(number: int, frame: object) -> None:
    """Keeps the signal from ending the process; the thread has read it already."""


def _watch(reader: int, interruption: Interruption) -> None:
    """Notes the first signal, and ends the process at the second."""
    while byte := os.read(reader, 1):
        if byte[0] not in SIGNALS:
            continue
        if interruption:
            os._exit(128 + byte[0])
        interruption.signal_number = byte[0]
        if sys.stderr is not None:
            sys.stderr.write("\nStopping after this epoch; once more stops at once.\n")
            sys.stderr.flush()
