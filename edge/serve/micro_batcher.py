"""Faces of pictures that come at about the same time share runs of the keypoint network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Generic, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_MOST = 32  # items that are worked on together


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[_Item, _Result]):
    """An item, and whom its result is promised to."""

    item: _Item
    result: asyncio.Future[_Result]


class Batcher(Generic[_Item, _Result]):
    """Works on items together that are handed in one by one.

    Items wait while earlier ones are worked on, and, if others are announced, for these, but not
    for longer than a few milliseconds. A lone item never waits. For one event loop alone.
    """

    def __init__(
        self,
        work: Callable[[list[_Item]], list[_Result]],
        wait_s: float,
        executor: Executor,
        note: Callable[[int], None],
    ) -> None:
        """Work in the executor.

        Args:
            work: one result an item.
            wait_s: how long an item waits for announced ones, seconds; 0 to work on each alone.
            executor: where the work is done.
            note: told how many items each run took.
        """
        self._work, self._wait_s, self._executor, self._note = work, wait_s, executor, note
        self._most = _MOST if wait_s > 0 else 1
        self._waiting: list[_Waiting[_Item, _Result]] = []
        self._coming = 0
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None

    def announce(self) -> None:
        """Say that an item is on its way; `__call__` hands it in, or `withdraw` gives it up."""
        self._coming += 1

    def withdraw(self) -> None:
        """Say that an announced item will not come."""
        self._arrive()

    def _arrive(self) -> None:
        self._coming -= 1
        self._consider()

    async def __call__(self, item: _Item) -> _Result:
        """The result for an item that was announced; raises what the work raises."""
        waiting: _Waiting[_Item, _Result] = _Waiting(
            item, asyncio.get_running_loop().create_future()
        )
        self._waiting.append(waiting)
        self._arrive()
        return await waiting.result

    def _consider(self) -> None:
        if self._busy or not self._waiting:
            return
        if not self._coming or len(self._waiting) >= self._most:
            self._start()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._wait_s, self._start)

    def _start(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        some, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        self._busy = True
        self._note(len(some))
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(self._executor, self._work, [one.item for one in some])
        done.add_done_callback(lambda done: self._finish(some, done))

    def _finish(
        self, some: list[_Waiting[_Item, _Result]], done: asyncio.Future[list[_Result]]
    ) -> None:
        self._busy = False
        error = done.exception()
        for i, one in enumerate(some):
            if one.result.done():
                continue
            if error:
                one.result.set_exception(error)
            else:
                one.result.set_result(done.result()[i])
        self._consider()
