"""Work on many small items on all cores, in order, with flat memory."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from apple_clf.errors import MemoryLimitError

Item = TypeVar("Item")
Result = TypeVar("Result")
Worker = Callable[[list[Item]], Result]

SERIAL_BELOW = 32
"""Fewer items than this are done at once, before a process could start."""

TRAINING_THREADS = 1
"""That TensorFlow computes on, so that sums are taken in one order on every machine."""

_make_worker: Callable[[], Callable[[list[Any]], Any]]  # set once in each worker process
_worker: Callable[[list[Any]], Any] | None = None  # likewise, by its first chunk


def map_chunks(
    make_worker: Callable[[], Worker[Item, Result]],
    items: Iterable[Item],
    *,
    chunk_size: int = 128,
) -> Iterator[Result]:
    """The worker's result for each chunk of items, in order.

    Each process makes its own worker, so that it may hold what cannot be sent. At most a few
    chunks per core are under way, whatever the number of items.

    Args:
        make_worker: picklable; called once in each process.
        items: consumed as needed.
        chunk_size: items given to a worker at a time, at most; the first chunks are smaller.

    Raises:
        MemoryLimitError: a worker process was killed, which is what a full memory looks like.
        Exception: what make_worker or a worker raised.
    """
    iterator = iter(items)
    first = list(islice(iterator, SERIAL_BELOW))
    cores = available_cores()
    if len(first) < SERIAL_BELOW or cores == 1:
        worker = make_worker()
        for chunk in _chunks(chain(first, iterator), chunk_size):
            yield worker(chunk)
    else:
        yield from _map_in_processes(
            make_worker, _chunks(chain(first, iterator), chunk_size), cores
        )


def available_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no affinity
        return os.cpu_count() or 1


def _map_in_processes(
    make_worker: Callable[[], Worker[Item, Result]],
    chunks: Iterator[list[Item]],
    cores: int,
) -> Iterator[Result]:
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    # A forked worker has its imports already; elsewhere each must import anew.
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    pool = ProcessPoolExecutor(
        cores,
        mp_context=multiprocessing.get_context(method),
        initializer=_start_worker,
        initargs=(make_worker,),
    )
    pending: deque[Future[Any]] = deque()
    try:
        for chunk in chunks:
            pending.append(pool.submit(_run_worker, chunk))
            if len(pending) >= 4 * cores:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except BrokenProcessPool as error:
        raise MemoryLimitError(
            "a worker process was killed, most likely because memory ran out. "
            "Close other programs, or use fewer or smaller images."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker(make_worker: Callable[[], Worker[Any, Any]]) -> None:
    global _make_worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    _make_worker = make_worker
    end_with_parent()


def end_with_parent() -> None:
    """Ends this process at once when its parent is gone; without that it would wait forever.

    A thread waits for the parent, so this returns at once. A process without a parent goes on.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _run_worker(chunk: list[Any]) -> Any:
    global _worker
    if _worker is None:  # made here, not at the start, so that the parent gets its error
        _worker = _make_worker()
    return _worker(chunk)


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Chunks that grow with what came before, so that no core waits long for the last one."""
    iterator = iter(items)
    done = 0
    while chunk := list(islice(iterator, min(size, max(8, done // 16)))):
        yield chunk
        done += len(chunk)
