import multiprocessing
import os
import select
import signal
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.errors import ArtifactError, MemoryLimitError
from apple_clf.io.parallel import SERIAL_BELOW, available_cores, map_chunks

needs_cores = pytest.mark.skipif(available_cores() == 1, reason="one core: no processes")

MANY = 3 * SERIAL_BELOW


def double(numbers: list[int]) -> list[int]:
    return [2 * number for number in numbers]


def make_double() -> Callable[[list[int]], list[int]]:
    return double


class Raises:
    def __call__(self, numbers: list[int]) -> list[int]:
        if 50 in numbers:
            raise ArtifactError("fifty")
        return numbers


class Dies:
    """Kills its process, unless that is the one that asks."""

    def __init__(self, parent: int) -> None:
        self.parent = parent

    def __call__(self, numbers: list[int]) -> list[int]:
        assert os.getpid() != self.parent
        if 50 in numbers:
            os.kill(os.getpid(), signal.SIGKILL)
        return numbers


def cannot_be_made() -> Callable[[list[int]], list[int]]:
    raise ArtifactError("corrupt model")


def counting(n: int, consumed: list[int]) -> Iterator[int]:
    for i in range(n):
        consumed.append(i)
        yield i


@pytest.mark.parametrize("n", [0, 1, SERIAL_BELOW - 1, SERIAL_BELOW, MANY + 1])
def test_results_come_in_order(n: int) -> None:
    results = list(map_chunks(make_double, range(n), chunk_size=5))
    assert [number for chunk in results for number in chunk] == double(list(range(n)))
    assert {len(chunk) for chunk in results[:-1]} <= {5}


@given(st.lists(st.integers(), max_size=SERIAL_BELOW - 1), st.integers(1, 40))
def test_chunks_hold_every_item_once(items: list[int], size: int) -> None:
    results = list(map_chunks(make_double, items, chunk_size=size))
    assert [number for chunk in results for number in chunk] == double(items)
    assert all(0 < len(chunk) <= size for chunk in results)


def test_items_are_consumed_as_needed() -> None:
    consumed: list[int] = []
    results = map_chunks(make_double, counting(100_000, consumed), chunk_size=2)
    for _ in range(5):
        next(results)
    under_way = 2 * (4 * available_cores() + 5)
    assert len(consumed) <= SERIAL_BELOW + under_way
    results.close()  # type: ignore[attr-defined]


@needs_cores
def test_many_items_are_worked_on_in_other_processes() -> None:
    processes = set(map_chunks(partial(lambda: lambda chunk: os.getpid()), range(MANY)))
    assert os.getpid() not in processes


@pytest.mark.parametrize("n", [SERIAL_BELOW - 1, MANY], ids=["serial", "processes"])
def test_error_in_making_a_worker_reaches_the_caller(n: int) -> None:
    with pytest.raises(ArtifactError, match="corrupt model"):
        list(map_chunks(cannot_be_made, range(n)))


def test_error_of_a_worker_reaches_the_caller_and_ends_all_processes() -> None:
    with pytest.raises(ArtifactError, match="fifty"):
        list(map_chunks(Raises, range(MANY), chunk_size=1))
    assert not multiprocessing.active_children()


@needs_cores
def test_killed_worker_is_a_memory_error() -> None:
    with pytest.raises(MemoryLimitError, match="a worker process was killed"):
        list(map_chunks(partial(Dies, os.getpid()), range(MANY), chunk_size=1))
    assert not multiprocessing.active_children()


def test_generator_closed_early_leaves_no_processes() -> None:
    results = map_chunks(make_double, range(MANY), chunk_size=1)
    assert next(results) == [0]
    results.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()


@needs_cores
def test_kill_of_the_caller_ends_its_processes() -> None:
    reader, writer = os.pipe()  # its workers inherit the writer; at the end nobody holds it
    pid = os.fork()
    if pid == 0:
        results = map_chunks(make_double, range(100_000), chunk_size=1)
        next(results)
        os.write(writer, b"started")
        signal.pause()
    os.close(writer)
    assert os.read(reader, 7) == b"started"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    readable, _, _ = select.select([reader], [], [], 60)
    assert readable
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_available_cores_are_those_this_process_may_use() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)
