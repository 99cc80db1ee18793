"""Three things at once: read the next items, work on these, write what is done.

Decoding, the networks and encoding all leave Python's lock while they compute, so threads overlap
them. Between the stages lie short queues: memory stays flat however slow the slowest is, and what
comes out is in the order of what went in.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from edge.memory_budget import MemoryBudget

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_WAIT = 0.1  # seconds after which a waiting thread looks whether it is to stop


def overlap(
    items: Iterable[_Item],
    work: Callable[[list[_Item]], list[_Result]],
    write: Callable[[_Result], None],
    batch: int = 1,
    ahead: int = 8,
    limit: Limit[_Item] | None = None,
) -> None:
    """Read, work and write at once.

    Args:
        items: read in a thread of its own, at most `ahead` before they are worked on.
        work: called here, with up to `batch` items; one result an item.
        write: called in a thread of its own, result by result, in order.
        batch: how many items are worked on together at most: those that are read by then.
        ahead: how many items may wait before, and results after the work.
        limit: what items that are read and not yet written may take; None for no bound.

    Raises:
        Whatever one of the three raises; what was done before it is still written. On
        KeyboardInterrupt too, the results that are ready are written before it is passed on.
    """
    limit = limit or Limit(lambda _: 0, 0)
    room = MemoryBudget(limit.most)
    writer = _Writer(write, ahead, room)
    with _Reader(items, max(ahead, batch), limit.weigh, room) as reader:
        try:
            for some in reader.batches(batch):
                sizes = [limit.weigh(item) for item in some]
                for result, size in zip(work(some), sizes, strict=True):
                    writer.put(result, size)
        finally:
            writer.close()
    writer.check()


@dataclass(frozen=True, slots=True)
class Limit(Generic[_Item]):
    """A bound on what is held between reading and writing; one item alone may exceed it.

    Attributes:
        weigh: what an item takes, in whatever unit.
        most: what all that are held may take.
    """

    weigh: Callable[[_Item], int]
    most: int


class _End:
    """What a queue holds last: nothing more will come, or something went wrong."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Reader(Generic[_Item]):
    """Takes items out of an iterable in a thread, some ahead."""

    def __init__(
        self, items: Iterable[_Item], ahead: int, weigh: Callable[[_Item], int], room: MemoryBudget
    ) -> None:
        self._weigh, self._room = weigh, room
        self._queue: queue.Queue[_Item | _End] = queue.Queue(ahead)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(items,), daemon=True)
        self._thread.start()

    def __enter__(self) -> _Reader[_Item]:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def batches(self, size: int) -> Iterator[list[_Item]]:
        """Up to `size` items, at least one, as soon as they are there."""
        end: _End | None = None
        while end is None:
            some: list[_Item] = []
            item: _Item | _End | None = self._queue.get()
            while item is not None and len(some) < size:
                if isinstance(item, _End):
                    end = item
                    break
                some.append(item)
                item = self._next() if len(some) < size else None
            if some:
                yield some
        if end.error:
            raise end.error

    def _next(self) -> _Item | _End | None:
        try:
            return self._queue.get_nowait()
        except queue.Empty:
            return None

    def _read(self, items: Iterable[_Item]) -> None:
        try:
            for item in items:
                self._room.acquire(self._weigh(item), self._stop.is_set)
                if not self._put(item):
                    return
            self._put(_End())
        except BaseException as error:
            self._put(_End(error))
        finally:
            close = getattr(items, "close", None)
            if close:
                close()  # here, where it was begun: a video file is let go

    def _put(self, item: _Item | _End) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=_WAIT)
            except queue.Full:
                continue
            return True
        return False


class _Writer(Generic[_Result]):
    """Writes results in a thread, in order."""

    def __init__(self, write: Callable[[_Result], None], ahead: int, room: MemoryBudget) -> None:
        self._write, self._room = write, room
        self._queue: queue.Queue[tuple[_Result, int] | _End] = queue.Queue(ahead)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, result: _Result, size: int) -> None:
        """Hand over a result that holds room of `size`; raises what went wrong with an earlier."""
        self.check()
        self._queue.put((result, size))

    def close(self) -> None:
        """Wait until all that was handed over is written."""
        self._queue.put(_End())
        self._thread.join()

    def check(self) -> None:
        """Raise what went wrong."""
        if self._error:
            raise self._error

    def _run(self) -> None:
        while True:
            entry = self._queue.get()
            if isinstance(entry, _End):
                return
            result, size = entry
            if self._error:
                continue  # the queue must not fill up while the others stop
            try:
                self._write(result)
            except BaseException as error:
                self._error = error
            del entry, result  # or a picture would stay until the next comes
            self._room.release(size)
