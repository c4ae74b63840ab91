"""What a training shows while it runs: a bar on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import TaskID

SECONDS_BETWEEN_LINES = 2.0


class Reporter(Protocol):
    """What a training tells while it runs."""

    def stage(self, text: str) -> None:
        """A sentence on what comes next or was found."""

    def fetching(self, name: str, done: int, total: int) -> None:
        """How many bytes of a file have come over the network."""

    def decoding(self, done: int, total: int) -> None:
        """How many of the images that are not cached have been decoded."""

    def epoch(self, epoch: int, epochs: int, logs: Mapping[str, float]) -> None:
        """The values of an epoch, counted from 1."""


class Silent:
    """A reporter that tells nothing."""

    def stage(self, text: str) -> None:
        """Tells nothing."""

    def fetching(self, name: str, done: int, total: int) -> None:
        """Tells nothing."""

    def decoding(self, done: int, total: int) -> None:
        """Tells nothing."""

    def epoch(self, epoch: int, epochs: int, logs: Mapping[str, float]) -> None:
        """Tells nothing."""


class Lines:
    """Plain lines: every stage, and an epoch at most every few seconds."""

    def __init__(self, out: TextIO, *, seconds_between: float = SECONDS_BETWEEN_LINES) -> None:
        self._out = out
        self._seconds_between = seconds_between
        self._last = -float("inf")

    def stage(self, text: str) -> None:
        """A line."""
        self._say(text)

    def fetching(self, name: str, done: int, total: int) -> None:
        """A line every few seconds."""
        if done < total and self._is_time():
            self._say(f"Fetching {name}: {_megabytes(done, total)}.")

    def decoding(self, done: int, total: int) -> None:
        """A line every few seconds."""
        if done < total and self._is_time():
            self._say(f"Decoding images: {done:,} of {total:,}.")

    def epoch(self, epoch: int, epochs: int, logs: Mapping[str, float]) -> None:
        """A line every few seconds, and for the last epoch."""
        if self._is_time() or epoch == epochs:
            self._say(f"Epoch {epoch} of {epochs}: {_values(logs)}")

    def _is_time(self) -> bool:
        now = time.monotonic()
        if now - self._last < self._seconds_between:
            return False
        self._last = now
        return True

    def _say(self, text: str) -> None:
        print(text, file=self._out, flush=True)


class Bar:
    """A bar with loss, accuracy and time left, redrawn in place."""

    def __init__(self, out: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = Console(file=out, highlight=False, markup=False, emoji=False)
        self._progress: Progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[values]}", markup=False),
            TimeRemainingColumn(compact=True),
            console=self._console,
            transient=True,
        )
        self._task: TaskID | None = None

    def stage(self, text: str) -> None:
        """A line above, which stays; the bar, if any, has done its work."""
        self._end()
        self._console.print(text)

    def fetching(self, name: str, done: int, total: int) -> None:
        """Moves the bar."""
        self._move(f"Fetching {name}", done, total, _megabytes(done, total))

    def decoding(self, done: int, total: int) -> None:
        """Moves the bar."""
        self._move("Decoding images", done, total, f"{done:,} of {total:,}")

    def epoch(self, epoch: int, epochs: int, logs: Mapping[str, float]) -> None:
        """Moves the bar."""
        self._move("Epoch", epoch, epochs, f"{epoch}/{epochs}  {_values(logs)}")

    def _move(self, what: str, done: int, total: int, values: str) -> None:
        if self._task is None:
            self._task = self._progress.add_task(what, total=total, values=values)
            self._progress.start()
        self._progress.update(
            self._task, description=what, completed=done, total=total, values=values
        )

    def _end(self) -> None:
        if self._task is not None:
            self._progress.stop()
            self._progress.remove_task(self._task)
            self._task = None

    def close(self) -> None:
        """Takes the bar off the screen, also after an error."""
        self._end()


def _megabytes(done: int, total: int) -> str:
    return f"{done / 1e6:.1f} of {total / 1e6:.1f} MB"


def _values(logs: Mapping[str, float]) -> str:
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    return "  ".join(f"{name} {logs[name]:.3f}" for name in names if name in logs)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a bar can be drawn there; FORCE_COLOR does not make a terminal of a file."""
    import os

    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
