"""What a sweep shows while it runs: a table on a terminal, a line a trial elsewhere."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TextIO

from apple_clf.config.sweep import Parameters
from apple_clf.io.files import printable

if TYPE_CHECKING:
    from rich.table import Table

SECONDS_BETWEEN_LINES = 5.0


class SweepReporter(Protocol):
    """What a sweep tells while it runs."""

    def stage(self, text: str) -> None:
        """A sentence on what comes next or was found."""

    def begin(self, trial: int, parameters: Parameters, *, trials: int) -> None:
        """A trial begins, out of so many."""

    def epoch(self, trial: int, epoch: int, epochs: int, value: float | None) -> None:
        """An epoch of a trial came to a value of the metric."""

    def end(self, trial: int, told: str, *, best: tuple[int, float] | None) -> None:
        """A trial is over; the best so far is a trial and its value."""


class SilentSweep:
    """A reporter that tells nothing."""

    def stage(self, text: str) -> None:
        """Tells nothing."""

    def begin(self, trial: int, parameters: Parameters, *, trials: int) -> None:
        """Tells nothing."""

    def epoch(self, trial: int, epoch: int, epochs: int, value: float | None) -> None:
        """Tells nothing."""

    def end(self, trial: int, told: str, *, best: tuple[int, float] | None) -> None:
        """Tells nothing."""


class SweepLines(SilentSweep):
    """A line for each trial that ends, and now and then one on how far the others are."""

    def __init__(self, out: TextIO, *, seconds_between: float = SECONDS_BETWEEN_LINES) -> None:
        self._out = out
        self._seconds_between = seconds_between
        self._last = time.monotonic()
        self._trials = 0
        self._parameters: dict[int, Parameters] = {}

    def stage(self, text: str) -> None:
        """A line."""
        self._say(text)

    def begin(self, trial: int, parameters: Parameters, *, trials: int) -> None:
        """Nothing yet; what it tries is told with its end."""
        self._trials = trials
        self._parameters[trial] = parameters

    def epoch(self, trial: int, epoch: int, epochs: int, value: float | None) -> None:
        """A line every few seconds."""
        if time.monotonic() - self._last >= self._seconds_between:
            seen = "" if value is None else f": {value:.4f}"
            self._say(f"Trial {trial}, epoch {epoch} of {epochs}{seen}")

    def end(self, trial: int, told: str, *, best: tuple[int, float] | None) -> None:
        """A line."""
        tried = in_words(self._parameters.pop(trial, {}))
        leader = f"; best so far {best[1]:.4f} (trial {best[0]})" if best else ""
        self._say(f"Trial {trial} of {self._trials}, {tried}: {told}{leader}")

    def _say(self, text: str) -> None:
        self._last = time.monotonic()
        print(text, file=self._out, flush=True)


class SweepTable:
    """A table of the trials under way and the last that ended, redrawn in place."""

    def __init__(self, out: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(file=out, highlight=False, markup=False, emoji=False)
        self._live = Live(console=self._console, refresh_per_second=4, transient=True)
        self._rows: dict[int, list[str]] = {}
        self._title = ""
        self._trials = 0
        self._ended = 0

    def stage(self, text: str) -> None:
        """A line above, which stays."""
        self._console.print(text)

    def begin(self, trial: int, parameters: Parameters, *, trials: int) -> None:
        """A row."""
        self._trials = trials
        self._rows[trial] = [str(trial), in_words(parameters), "-", "-", "starting"]
        self._draw()

    def epoch(self, trial: int, epoch: int, epochs: int, value: float | None) -> None:
        """Changes its row."""
        row = self._rows[trial]
        row[2:] = [f"{epoch}/{epochs}", "-" if value is None else f"{value:.4f}", "training"]
        self._draw()

    def end(self, trial: int, told: str, *, best: tuple[int, float] | None) -> None:
        """Changes its row, and drops the oldest that ended."""
        self._ended += 1
        self._rows[trial][4] = told
        over = [number for number, row in self._rows.items() if row[4] not in _UNDER_WAY]
        for number in over[:-_ENDED_SHOWN]:
            del self._rows[number]
        leader = f"; best so far {best[1]:.4f} (trial {best[0]})" if best else ""
        self._title = f"{self._ended} trials ended, {self._trials} in all{leader}"
        self._draw()

    def _draw(self) -> None:
        self._live.start()
        self._live.update(_table(self._title, list(self._rows.values())))

    def close(self) -> None:
        """Takes the table off the screen."""
        self._live.stop()


_ENDED_SHOWN = 8
_UNDER_WAY = ("starting", "training")


def _table(title: str, rows: Sequence[Sequence[str]]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", box=None, pad_edge=False)
    for head in ("trial", "values", "epoch", "metric", ""):
        table.add_column(head, no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def in_words(parameters: Mapping[str, object]) -> str:
    """What a trial tries, on one line."""
    return printable(", ".join(f"{key} {_short(value)}" for key, value in parameters.items()))


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
