"""Trainings in processes of their own, each of which imports TensorFlow once and stays warm."""

import multiprocessing
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from apple_clf.io.parallel import end_with_parent
from apple_clf.sweeping.orders import Answer, Epoch, Event, Order, Outcome


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    order: Order | None = None


class Processes:
    """An executor of processes on this machine."""

    def __init__(self, capacity: int) -> None:
        """Starts none until there is something to train."""
        self.capacity = capacity
        # Forked, a process would share locks and threads of its parent, which TensorFlow forbids.
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs,))  # a daemon could not decode
        process.start()  # in processes of its own
        theirs.close()
        return _Worker(process, ours)

    def submit(self, order: Order) -> None:
        """Gives the order to an idle process, or a new one."""
        worker = next((worker for worker in self._workers if worker.order is None), None)
        if worker is None:
            worker = self._start()
            self._workers.append(worker)
        worker.order = order
        _send(worker, order)

    def receive(self, *, timeout: float) -> Sequence[tuple[Order, Event]]:
        """What the processes tell; one that died is replaced, and its order has failed."""
        busy = {worker.pipe: worker for worker in self._workers if worker.order is not None}
        received: list[tuple[Order, Event]] = []
        for pipe in wait(list(busy), timeout):
            worker = busy[pipe]  # type: ignore[index]  # wait also takes sockets and handles
            assert worker.order is not None
            order = worker.order
            try:
                event: Event = worker.pipe.recv()
            except (EOFError, OSError):
                event = self._replace(worker)
            if isinstance(event, Outcome):
                worker.order = None
            received.append((order, event))
        return received

    def _replace(self, worker: _Worker) -> Outcome:
        """Starts another process in the place of one that died, and tells how it died."""
        worker.process.join()
        code = worker.process.exitcode or 0
        worker.pipe.close()
        fresh = self._start()
        worker.process, worker.pipe = fresh.process, fresh.pipe
        if code < 0:
            name = signal.Signals(-code).name
            cause = "; perhaps memory ran out" if name == "SIGKILL" else ""
            return Outcome("failed", f"its process was ended by {name}{cause}")
        return Outcome("failed", f"its process ended with exit code {code}")

    def answer(self, order: Order, answer: Answer) -> None:
        """Sends the answer; a process that died since is noticed when it is listened to."""
        for worker in self._workers:
            if worker.order == order:
                _send(worker, answer)

    def close(self) -> None:
        """Ends the processes at once: every file is written whole or not at all."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.pipe.close()


def _send(worker: _Worker, content: object) -> None:
    with suppress(OSError):
        worker.pipe.send(content)


def _work(pipe: Connection) -> None:
    """Carries out orders until the pipe closes."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the sweep hears them, and tells when to stop
    end_with_parent()  # what this process trains will be resumed
    from apple_clf.sweeping.trial import Workbench

    workbench = Workbench()

    def hear(epoch: Epoch) -> Answer:
        pipe.send(epoch)
        answer = pipe.recv()
        assert isinstance(answer, Answer)
        return answer

    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            pipe.send(workbench.carry_out(pipe.recv(), hear=hear))
