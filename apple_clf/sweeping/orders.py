"""What passes between a sweep and whoever trains for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from apple_clf.config.schema import Experiment
from apple_clf.runs import Run


@dataclass(frozen=True)
class Order:
    """One training of a trial. Carried out twice, it goes on in the same run."""

    trial: int  # from 0
    repeat: int  # from 0
    experiment: Experiment
    source: bytes  # the YAML of the sweep
    folder: Path  # of the runs
    number: int  # of the run

    @property
    def run(self) -> Run:
        """Where the training lies, or will."""
        return Run(self.folder / f"{self.experiment.name}-{self.number:03d}")


@dataclass(frozen=True)
class Epoch:
    """An epoch is over, and the training waits to hear whether to go on."""

    epoch: int  # from 1
    values: Mapping[str, float]


@dataclass(frozen=True)
class Outcome:
    """A training is over, or was stopped and can be resumed."""

    status: Literal["finished", "pruned", "failed", "stopped"]
    reason: str = ""  # why it failed


class Answer(Enum):
    """What a training hears after an epoch."""

    GO_ON = "go on"
    PRUNE = "prune"  # leave it as it is
    STOP = "stop"  # write a checkpoint first


Event: TypeAlias = Epoch | Outcome


class Executor(Protocol):
    """Trains what it is told to, several at a time."""

    capacity: int
    """Orders that it takes at a time."""

    def submit(self, order: Order) -> None:
        """Begins a training; fewer than `capacity` are under way."""

    def receive(self, *, timeout: float) -> Sequence[tuple[Order, Event]]:
        """What has happened since, at once if something has; else nothing, after some seconds."""

    def answer(self, order: Order, answer: Answer) -> None:
        """Tells the training of an order, whose epoch was received, whether to go on."""

    def close(self) -> None:
        """Ends everything that may still be under way."""
