"""A threaded read–process–write pipeline with bounded queues.

Decoding, the networks and encoding release the GIL while they compute, so that the three stages run
in parallel. The queues between them bound the memory in use, however slow the slowest stage is, and
results are written in the order of the items.
"""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from edge.cli.memory_budget import MemoryBudget

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_POLL_S = 0.1  # interval at which a reader with a full queue checks whether it is to stop


def _no_size(_: object) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Bounds(Generic[_Item]):
    """Bounds on the items between reading and writing.

    Attributes:
        queue_size: capacity of each of the two queues, in items and in results.
        memory: total size of the items that are read and not yet written; a single larger item is
            allowed alone.
        size_of: size of an item, in the unit of `memory`.
    """

    queue_size: int = 8
    memory: float = math.inf
    size_of: Callable[[_Item], int] = _no_size


def run_pipeline(
    items: Iterable[_Item],
    process: Callable[[list[_Item]], list[_Result]],
    write: Callable[[_Result], None],
    batch: int = 1,
    bounds: Bounds[_Item] | None = None,
) -> None:
    """Read items, process them in batches and write the results, in three threads.

    Args:
        items: iterated in a thread of its own; if it is a generator, it is closed there.
        process: called in the calling thread with 1 to `batch` items; returns one result per item.
        write: called in a thread of its own with each result, in order.
        batch: the largest batch; a batch holds the items that are ready, and does not wait for
            more.
        bounds: capacity of the queues, and memory of the items; None for the defaults.

    Raises:
        BaseException: what one of the three raised, after the results before it are written. On a
            KeyboardInterrupt, too, the finished results are written first.
    """
    bounds = bounds or Bounds()
    budget = MemoryBudget(bounds.memory)
    writer = _Writer(write, bounds.queue_size, budget)
    with _Reader(items, max(bounds.queue_size, batch), bounds.size_of, budget) as reader:
        try:
            for ready in reader.batches(batch):
                sizes = [bounds.size_of(item) for item in ready]
                for result, size in zip(process(ready), sizes, strict=True):
                    writer.put(result, size)
        finally:
            writer.close()
    writer.check()


class _End:
    """The last entry of a queue: the end of the items, or the error that stopped them."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Reader(Generic[_Item]):
    """Iterates over items in a thread, ahead of their use."""

    def __init__(
        self,
        items: Iterable[_Item],
        queue_size: int,
        size_of: Callable[[_Item], int],
        budget: MemoryBudget,
    ) -> None:
        self._size_of = size_of
        self._budget = budget
        self._queue: queue.Queue[_Item | _End] = queue.Queue(queue_size)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(items,), daemon=True)
        self._thread.start()

    def __enter__(self) -> _Reader[_Item]:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def batches(self, size: int) -> Iterator[list[_Item]]:
        """Yield lists of 1 to `size` items; waits only for the first item of each."""
        end: _End | None = None
        while end is None:
            batch: list[_Item] = []
            entry: _Item | _End | None = self._queue.get()
            while entry is not None and len(batch) < size:
                if isinstance(entry, _End):
                    end = entry
                    break
                batch.append(entry)
                entry = self._get_ready() if len(batch) < size else None
            if batch:
                yield batch
        if end.error:
            raise end.error

    def _get_ready(self) -> _Item | _End | None:
        try:
            return self._queue.get_nowait()
        except queue.Empty:
            return None

    def _read(self, items: Iterable[_Item]) -> None:
        try:
            for item in items:
                self._budget.acquire(self._size_of(item), self._stop.is_set)
                if not self._put(item):
                    return
            self._put(_End())
        except BaseException as error:
            self._put(_End(error))
        finally:
            close = getattr(items, "close", None)
            if close:
                close()  # in the thread that ran the generator: it releases a video file

    def _put(self, entry: _Item | _End) -> bool:
        """Put an entry into the queue; returns False if the pipeline was stopped first."""
        while not self._stop.is_set():
            try:
                self._queue.put(entry, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False


class _Writer(Generic[_Result]):
    """Writes results in a thread, in order."""

    def __init__(
        self, write: Callable[[_Result], None], queue_size: int, budget: MemoryBudget
    ) -> None:
        self._write = write
        self._budget = budget
        self._queue: queue.Queue[tuple[_Result, int] | _End] = queue.Queue(queue_size)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, result: _Result, size: int) -> None:
        """Queue a result, whose item counts `size` in the budget; raises an earlier one's error."""
        self.check()
        self._queue.put((result, size))

    def close(self) -> None:
        """Wait until every queued result is written."""
        self._queue.put(_End())
        self._thread.join()

    def check(self) -> None:
        """Raise the error of a write that failed."""
        if self._error:
            raise self._error

    def _run(self) -> None:
        while True:
            entry = self._queue.get()
            if isinstance(entry, _End):
                return
            result, size = entry
            if self._error:
                continue  # drain the queue, so that `put` cannot block while the others stop
            try:
                self._write(result)
            except BaseException as error:
                self._error = error
            del entry, result  # else the image would stay in memory until the next one arrives
            self._budget.release(size)
