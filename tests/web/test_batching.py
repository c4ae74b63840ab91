import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.web.batching import Batcher, BusyError, Room


def test_what_waits_goes_together_in_order() -> None:
    batches, gate = [], threading.Event()

    def double(items: Sequence[int]) -> list[int]:
        gate.wait(10)
        batches.append(list(items))
        return [2 * item for item in items]

    async def ask() -> list[int]:
        with ThreadPoolExecutor(1) as thread:
            batcher = Batcher(double, thread=thread, max_batch=4)
            asked = [asyncio.create_task(batcher.submit(i)) for i in range(10)]
            await asyncio.sleep(0)
            gate.set()
            return [await task for task in asked]

    assert asyncio.run(ask()) == [2 * i for i in range(10)]
    assert [item for batch in batches for item in batch] == list(range(10))
    assert max(map(len, batches)) == 4


def test_failure_reaches_all_that_waited_and_nobody_after() -> None:
    def fail_at_first(items: Sequence[str]) -> list[str]:
        if "bad" in items:
            raise ValueError("broken")
        return list(items)

    async def ask() -> None:
        with ThreadPoolExecutor(1) as thread:
            batcher = Batcher(fail_at_first, thread=thread, max_batch=4)
            both = asyncio.gather(
                batcher.submit("bad"), batcher.submit("other"), return_exceptions=True
            )
            assert [type(result) for result in await both] == [ValueError, ValueError]
            assert await batcher.submit("good") == "good"

    asyncio.run(ask())


def test_who_has_gone_holds_up_nobody() -> None:
    async def ask() -> str:
        with ThreadPoolExecutor(1) as thread:
            batcher: Batcher[str, str] = Batcher(list, thread=thread, max_batch=4)
            gone = asyncio.create_task(batcher.submit("gone"))
            other = asyncio.create_task(batcher.submit("other"))
            await asyncio.sleep(0)
            gone.cancel()
            return await other

    assert asyncio.run(ask()) == "other"


def test_seats_are_counted_and_freed() -> None:
    room = Room(max_requests=1, max_bytes=10)
    with room.seat():
        with pytest.raises(BusyError), room.seat():
            pass
        assert room.n_requests == 1
    with room.seat():
        pass
    assert room.n_requests == 0


@given(st.lists(st.lists(st.integers(0, 60), max_size=5), max_size=6))
def test_bytes_never_exceed_the_room_and_are_all_given_back(bodies: list[list[int]]) -> None:
    room = Room(max_requests=9, max_bytes=100)

    def enter(remaining: list[list[int]]) -> None:
        if not remaining:
            return
        first, *rest = remaining
        try:
            with room.body() as take:
                for part in first:
                    take(part)
                    assert room.n_bytes <= 100
                enter(rest)
        except BusyError:
            pass

    enter(bodies)
    assert room.n_bytes == 0
