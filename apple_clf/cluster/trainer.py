"""Trainings in a process that Ray started, which imports TensorFlow once and stays warm."""

import gc
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue

from apple_clf.cluster.surroundings import Surroundings
from apple_clf.sweeping.orders import Answer, Epoch, Event, Order, Outcome
from apple_clf.sweeping.trial import Datasets, carry_out

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
        self._data = Datasets()
        self._events: SimpleQueue[Epoch | Future[Outcome]] = SimpleQueue()
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._thread = ThreadPoolExecutor(1)  # Ray's own waits here for what comes next
        self._is_fresh = True

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
        from apple_clf.backend import forget_models

        outcome = carry_out(order, hear=self._hear, data=self._data, lock_seconds=LOCK_SECONDS)
        forget_models()
        if self._is_fresh:
            gc.freeze()  # what the first training imported stays: no garbage among it
            self._is_fresh = False
        return outcome

    def _hear(self, epoch: Epoch) -> Answer:
        self._events.put(epoch)
        try:
            return self._answers.get(timeout=self._answer_seconds)
        except Empty:
            return Answer.STOP
