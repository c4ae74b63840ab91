"""Trainings in a process that Ray started, which imports TensorFlow once and stays warm."""

from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from queue import Empty, SimpleQueue

from apple_clf.cluster.surroundings import Surroundings
from apple_clf.sweeping.orders import Answer, Epoch, Event, Order, Outcome
from apple_clf.sweeping.trial import Workbench

LOCK_SECONDS = 180.0
"""How long a run may stay locked after its machine died; a server of NFS takes 90."""


ANSWER_SECONDS = 100.0
"""How long an epoch may go unanswered before the sweep is taken for lost."""


class Trainer:
    """Carries out one order at a time; each call comes back with the next that has happened.

    A training that nobody answers writes a checkpoint and stops, lest one that was cut off from the
    sweep keeps its run from those who go on with it.
    """

    def __init__(
        self, surroundings: Surroundings, *, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        """Trains nothing yet.

        Args:
            surroundings: of the sweep.
            answer_seconds: how long an epoch may go unanswered.
        """
        self._answer_seconds = answer_seconds
        self._surroundings = surroundings
        self._events: SimpleQueue[Epoch | Future[Outcome]] = SimpleQueue()
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._thread = ThreadPoolExecutor(1)  # Ray's own waits here for what comes next

    @cached_property
    def _workbench(self) -> Workbench:
        """Set up for the first order, in the sweep's surroundings."""
        return Workbench()

    def start(self) -> None:
        """Takes on the surroundings.

        Raises:
            ConfigError, FileSystemError: as `Surroundings.take_on`.
        """
        self._surroundings.take_on()

    def begin(self, order: Order) -> Event:
        """The first event of an order."""
        self._thread.submit(self._train, order).add_done_callback(self._events.put)
        return self._next()

    def go_on(self, answer: Answer) -> Event:
        """The next event, once an epoch is answered."""
        self._answers.put(answer)
        return self._next()

    def _next(self) -> Event:
        event = self._events.get()
        return event.result() if isinstance(event, Future) else event

    def _train(self, order: Order) -> Outcome:
        return self._workbench.carry_out(order, hear=self._hear, lock_seconds=LOCK_SECONDS)

    def _hear(self, epoch: Epoch) -> Answer:
        self._events.put(epoch)
        try:
            return self._answers.get(timeout=self._answer_seconds)
        except Empty:
            return Answer.STOP
