"""Micro-batching: items of concurrent requests share runs of a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Generic, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_MAX_BATCH = 32  # items


@dataclass(frozen=True, slots=True)
class _Pending(Generic[_Item, _Result]):
    """A queued item and the future of its result."""

    item: _Item
    result: asyncio.Future[_Result]


class MicroBatcher(Generic[_Item, _Result]):
    """Collects items that are submitted one by one, and processes them in batches.

    Items queue while a batch is being processed. Otherwise they wait for items that are announced,
    but no longer than `wait_s`; without announced items a batch starts at once, so that a single
    client has no added latency. Must be used from one event loop.
    """

    def __init__(
        self,
        process: Callable[[list[_Item]], list[_Result]],
        wait_s: float,
        executor: Executor,
        observe_size: Callable[[int], None],
    ) -> None:
        """Create an empty batcher.

        Args:
            process: the function to run on each batch; returns one result per item.
            wait_s: longest wait for announced items, seconds; 0 disables batching.
            executor: runs `process`.
            observe_size: called with the size of each batch.
        """
        self._process = process
        self._wait_s = wait_s
        self._executor = executor
        self._observe_size = observe_size
        self._max_batch = _MAX_BATCH if wait_s > 0 else 1
        self._queue: list[_Pending[_Item, _Result]] = []
        self._announced = 0
        self._running = False
        self._timer: asyncio.TimerHandle | None = None

    def announce(self) -> None:
        """Announce an item, to be followed by one call of `submit` or `withdraw`."""
        self._announced += 1

    def withdraw(self) -> None:
        """Cancel the announcement of an item."""
        self._announced -= 1
        self._start_if_ready()

    async def submit(self, item: _Item) -> _Result:
        """Process an announced item; raises what `process` raises for its batch."""
        pending: _Pending[_Item, _Result] = _Pending(
            item, asyncio.get_running_loop().create_future()
        )
        self._queue.append(pending)
        self._announced -= 1
        self._start_if_ready()
        return await pending.result

    def _start_if_ready(self) -> None:
        if self._running or not self._queue:
            return
        if not self._announced or len(self._queue) >= self._max_batch:
            self._start()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._wait_s, self._start)

    def _start(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        batch = self._queue[: self._max_batch]
        self._queue = self._queue[self._max_batch :]
        self._running = True
        self._observe_size(len(batch))
        loop = asyncio.get_running_loop()
        items = [pending.item for pending in batch]
        future = loop.run_in_executor(self._executor, self._process, items)
        future.add_done_callback(lambda done: self._finish(batch, done))

    def _finish(
        self, batch: list[_Pending[_Item, _Result]], done: asyncio.Future[list[_Result]]
    ) -> None:
        self._running = False
        error = done.exception()
        for i, pending in enumerate(batch):
            if pending.result.done():  # cancelled, as its request has timed out
                continue
            if error:
                pending.result.set_exception(error)
            else:
                pending.result.set_result(done.result()[i])
        self._start_if_ready()
