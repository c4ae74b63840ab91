"""Who trains for a sweep on a cluster: Ray's actors, of which any may die at any time."""

import logging
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from apple_clf import __version__
from apple_clf.cluster.surroundings import surroundings
from apple_clf.cluster.trainer import Trainer
from apple_clf.errors import AppleClfError, ConfigError
from apple_clf.io.files import printable
from apple_clf.sweeping.orders import Answer, Event, Order, Outcome

ATTEMPTS = 3
"""Workers that an order may cost: one that fills the memory would else kill them all."""

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class _Worker:
    actor: Any
    coming: Any = None  # what it will tell next; nothing comes from one that is idle
    order: Order | None = None

    @property
    def is_starting(self) -> bool:
        return self.order is None and self.coming is not None

    @property
    def is_idle(self) -> bool:
        return self.order is None and self.coming is None


class Actors:
    """An executor of as many actors as there is work and room for.

    An order whose worker or machine died is given to the next that is idle. It goes on in its own
    run, so nothing is lost but the epochs since its last checkpoint.
    """

    def __init__(self, capacity: int, *, own: Path) -> None:
        """Starts none until there is something to train.

        Args:
            capacity: actors, a CPU each; those that the cluster has no room for wait for one.
            own: a file of the sweep, by which workers know that they share its storage.
        """
        self.capacity = capacity
        self._surroundings = surroundings(Path.cwd(), own=own)
        # Ray's own restarts would not know which order was lost.
        self._trainer = ray.remote(num_cpus=1, max_restarts=0)(Trainer)
        self._workers: list[_Worker] = []
        self._waiting: deque[Order] = deque()
        self._deaths: Counter[tuple[int, int]] = Counter()  # by trial and repeat
        self._failed_starts = 0
        self._is_stopping = False

    def submit(self, order: Order) -> None:
        """Gives the order to an idle actor, or to the next that is."""
        self._waiting.append(order)
        self._hand_out()

    def _hand_out(self) -> None:
        for worker in self._workers:
            if worker.is_idle and self._waiting:
                worker.order = self._waiting.popleft()
                worker.coming = worker.actor.begin.remote(worker.order)
        n_starting = sum(worker.is_starting for worker in self._workers)
        n_lacking = min(len(self._waiting) - n_starting, self.capacity - len(self._workers))
        for _ in range(n_lacking):
            actor = self._trainer.remote(self._surroundings)
            self._workers.append(_Worker(actor, actor.start.remote()))

    def receive(self, *, timeout: float) -> Sequence[tuple[Order, Event]]:
        """What the actors tell.

        Raises:
            ConfigError, FileSystemError: actors cannot start, or see other files.
        """
        coming = {worker.coming: worker for worker in self._workers if not worker.is_idle}
        if not coming:
            return []
        ray.wait(list(coming), timeout=timeout)
        told, _ = ray.wait(list(coming), num_returns=len(coming), timeout=0)
        events = [event for ref in told if (event := self._hear(coming[ref])) is not None]
        self._hand_out()
        return events

    def _hear(self, worker: _Worker) -> tuple[Order, Event] | None:
        order = worker.order
        try:
            event = ray.get(worker.coming)
        except RayTaskError as error:  # raised over there, by an actor that lives on
            if isinstance(error.cause, AppleClfError):
                raise error.cause from error
            event = Outcome("failed", f"its worker failed: {error.cause!r}")
        except RayError as error:
            return self._bury(worker, str(error))
        worker.coming = None
        if order is None:  # it has started
            self._failed_starts = 0
            return None
        if isinstance(event, Outcome):
            worker.order = None
            if event == Outcome("stopped") and not self._is_stopping:  # it waited in vain
                self._waiting.append(order)
                return None
        return order, event

    def _bury(self, worker: _Worker, cause: str) -> tuple[Order, Event] | None:
        """Puts the order of a dead worker first in line, unless it may have been what killed it."""
        self._workers.remove(worker)
        ray.kill(worker.actor)  # should it live on out of reach
        order = worker.order
        if order is None:
            self._failed_starts += 1
            if self._failed_starts == ATTEMPTS:
                last = printable(cause.strip().rpartition("\n")[2])[:200]
                raise ConfigError(
                    f"workers cannot start on the cluster: {last}. "
                    f"Is apple-clf {__version__} installed on every machine?"
                )
            return None
        key = (order.trial, order.repeat)
        self._deaths[key] += 1
        if self._deaths[key] == ATTEMPTS:
            return order, Outcome("failed", f"{ATTEMPTS} workers died of it; did memory run out?")
        logger.warning("The worker of trial %d died. It goes on elsewhere.", order.trial)
        self._waiting.appendleft(order)
        return None

    def answer(self, order: Order, answer: Answer) -> None:
        """Sends the answer; an actor that died since is noticed when it is listened to."""
        self._is_stopping |= answer is Answer.STOP
        for worker in self._workers:
            if worker.order == order:
                worker.coming = worker.actor.go_on.remote(answer)

    def close(self) -> None:
        """Ends the actors at once: every file is written whole or not at all."""
        for worker in self._workers:
            ray.kill(worker.actor)
