"""What every place must offer that a training is told to."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol


class Point(NamedTuple):
    """One number of a training."""

    name: str
    epoch: int  # counted from 1; of final metrics the last one
    value: float


class Story(NamedTuple):
    """What is known of a training before it begins."""

    run: Path
    identity: str  # tells it from other runs of the same name, the same after a resumption
    values: Mapping[str, object]  # of the experiment, by key


class Place(Protocol):
    """Remembers what it has been told, also by earlier processes, and writes nothing twice."""

    name: str
    """How messages call it."""
    errors: tuple[type[Exception], ...]
    """What is raised where it cannot be reached or written."""

    def begin(self, story: Story) -> None:
        """Makes the run's entry, or goes on with the one that is there."""

    def write(self, points: Sequence[Point]) -> None:
        """Writes those that are not there yet."""

    def remark(self, findings: Mapping[str, str]) -> None:
        """Writes what a diagnosis found, by name."""

    def keep(self, files: Iterable[Path]) -> None:
        """Takes a copy of pictures and pages, if it shows such."""

    def end(self, status: str) -> None:
        """Closes the entry: FINISHED, KILLED by a signal, or FAILED."""
