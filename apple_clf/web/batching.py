"""Work in batches: what comes in while one batch is computed is the next, so nobody waits for more.

And room for it, which is bounded: who finds none is told at once to come again.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class BusyError(Exception):
    """There is no room for another request; not an error of this program."""


class Room:
    """Counts what is waiting or at work."""

    def __init__(self, *, max_requests: int, max_bytes: int) -> None:
        """Empty room.

        Args:
            max_requests: whose bodies are complete.
            max_bytes: of all bodies, incomplete ones too.
        """
        self.max_requests, self.max_bytes = max_requests, max_bytes
        self.n_requests = self.n_bytes = 0

    @contextmanager
    def body(self) -> Iterator[Callable[[int], None]]:
        """A function to call with the size of each part of a body that comes; freed at the end.

        Raises:
            BusyError: from that function, if it is too much.
        """
        taken = 0

        def take(n_bytes: int) -> None:
            nonlocal taken
            if self.n_bytes + n_bytes > self.max_bytes:
                raise BusyError
            taken += n_bytes
            self.n_bytes += n_bytes

        try:
            yield take
        finally:
            self.n_bytes -= taken

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Room for one request while it waits and is answered.

        Raises:
            BusyError: there is none.
        """
        if self.n_requests >= self.max_requests:
            raise BusyError
        self.n_requests += 1
        try:
            yield
        finally:
            self.n_requests -= 1


class Batcher(Generic[Item, Result]):
    """Gives items that wait together to a function that takes many, in a thread."""

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        thread: Executor,
        max_batch: int,
    ) -> None:
        """Waits for items.

        Args:
            work: as many results as items, in their order.
            thread: where it runs; one at a time if it has one thread.
            max_batch: items at once.
        """
        self._work, self._thread, self._max_batch = work, thread, max_batch
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._running: asyncio.Task[None] | None = None
        self.n_batches = self.n_items = 0

    async def submit(self, item: Item) -> Result:
        """The result for one item."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        try:
            while self._waiting:
                n = min(len(self._waiting), self._max_batch)
                await self._answer([self._waiting.popleft() for _ in range(n)])
        finally:
            self._running = None

    async def _answer(self, batch: list[tuple[Item, "asyncio.Future[Result]"]]) -> None:
        items = [item for item, _ in batch]
        self.n_batches += 1
        self.n_items += len(items)
        try:
            results = await asyncio.get_running_loop().run_in_executor(
                self._thread, self._work, items
            )
        except Exception as error:  # noqa: BLE001 (whatever it is, those who wait must learn of it)
            for _, future in batch:
                if not future.done():  # it is, where the client has gone
                    future.set_exception(error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)
