"""Order -> trained run, in the process that trains."""

import gc
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from apple_clf.data import SPLITS, Dataset, load_dataset
from apple_clf.errors import AppleClfError, LockedError
from apple_clf.io.files import remove_leftovers
from apple_clf.io.interruption import InterruptedTrainingError
from apple_clf.io.progress import Silent
from apple_clf.pipeline.workflow import Manner, resume, train
from apple_clf.sweeping.orders import Answer, Epoch, Order, Outcome

MEMORY = 1 << 30
"""Bytes of pixels that are remembered between trainings."""

LOCK_SECONDS = 20.0
"""How long a run may still be locked by the killed process that worked on it, on this machine."""


class PrunedError(Exception):
    """The sweep asked to leave the training as it is."""


class Workbench:
    """Where a process trains, one order after another; what stands there serves the next."""

    def __init__(self) -> None:
        """Imports TensorFlow."""
        from apple_clf.training.trainers import Trainers

        self._datasets = Datasets()
        self._trainers = Trainers()
        self._is_fresh = True

    def carry_out(
        self,
        order: Order,
        *,
        hear: Callable[[Epoch], Answer],
        lock_seconds: float = LOCK_SECONDS,
    ) -> Outcome:
        """What an order came to; the run holds the rest.

        Args:
            order: what to train; if its run was begun already, it goes on there.
            hear: tells of an epoch, and returns what is to follow.
            lock_seconds: how long the run may still be locked by one that died.
        """
        outcome = self._carry_out(order, _Listener(hear), time.monotonic() + lock_seconds)
        if self._is_fresh:
            gc.freeze()  # what the first training imported stays: no garbage among it
            self._is_fresh = False
        return outcome

    def _carry_out(self, order: Order, listener: "_Listener", deadline: float) -> Outcome:
        while True:
            try:
                self._train(order, listener)
            except LockedError as error:
                if time.monotonic() > deadline:
                    return Outcome("failed", str(error))
                time.sleep(0.1)
            except PrunedError:
                return Outcome("pruned")
            except InterruptedTrainingError:
                return Outcome("stopped")
            except AppleClfError as error:
                return Outcome("failed", str(error))
            except MemoryError:
                return Outcome("failed", "memory ran out")
            else:
                return Outcome("finished")

    def _train(self, order: Order, listener: "_Listener") -> None:
        run = order.run
        manner = Manner(
            load=self._datasets.load,
            should_stop=listener.should_stop,
            draw=_not_now,
            report=_not_now,
            trainers=self._trainers,
        )
        if run.resolved.exists() and run.dataset.exists():
            resume(run, reporter=listener, manner=manner)
            return
        if run.path.exists():
            remove_leftovers(run.path)
        train(
            order.experiment,
            source=order.source,
            folder=order.folder,
            number=order.number,
            reporter=listener,
            manner=manner,
        )


def _not_now(*_: object, **__: object) -> None:
    """Leaves pictures and page, a third of a small trial's time, to `apple-clf report RUN`."""


class _Listener(Silent):
    """Passes epochs on, and what is answered to the training."""

    def __init__(self, hear: Callable[[Epoch], Answer]) -> None:
        self._hear = hear
        self._answer = Answer.GO_ON

    def epoch(self, epoch: int, epochs: int, logs: Mapping[str, float]) -> None:
        self._answer = self._hear(Epoch(epoch, dict(logs)))
        if self._answer is Answer.PRUNE:
            raise PrunedError

    def should_stop(self) -> bool:
        return self._answer is Answer.STOP


class Datasets:
    """The data of the latest trainings, kept as long as they are not too many."""

    def __init__(self, *, memory: int = MEMORY) -> None:
        """Keeps so many bytes of pixels, and always the latest."""
        self._memory = memory
        self._kept: OrderedDict[str, Dataset] = OrderedDict()

    @property
    def _size(self) -> int:
        return sum(map(_size, self._kept.values()))

    def load(self, config: Any, preprocessing: Any, *, seed: int, on_progress: Any) -> Dataset:
        """As `load_dataset`; the same data are prepared once."""
        key = repr((config, preprocessing, seed))
        if key not in self._kept:
            dataset = load_dataset(config, preprocessing, seed=seed, on_progress=on_progress)
            while (
                self._kept and _size(dataset) + sum(map(_size, self._kept.values())) > self._memory
            ):
                self._kept.popitem(last=False)
            self._kept[key] = dataset
        self._kept.move_to_end(key)
        return self._kept[key]


def _size(dataset: Dataset) -> int:
    return sum(getattr(dataset, name).images.nbytes for name in SPLITS)
