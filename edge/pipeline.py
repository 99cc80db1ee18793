"""Three things at once: read the next items, work on these, write what is done.

Decoding, the networks and encoding all leave Python's lock while they compute, so threads overlap
them. Between the stages lie short queues: memory stays flat however slow the slowest is, and what
comes out is in the order of what went in.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_WAIT = 0.1  # seconds after which a waiting thread looks whether it is to stop


def overlap(
    items: Iterable[_Item],
    work: Callable[[list[_Item]], list[_Result]],
    write: Callable[[_Result], None],
    batch: int = 1,
    ahead: int = 8,
) -> None:
    """Read, work and write at once.

    Args:
        items: read in a thread of its own, at most `ahead` before they are worked on.
        work: called here, with `batch` items (fewer at the end); one result an item.
        write: called in a thread of its own, result by result, in order.
        batch: how many items are worked on together.
        ahead: how many items may wait before, and results after the work.

    Raises:
        Whatever one of the three raises; what was done before it is still written. On
        KeyboardInterrupt too, the results that are ready are written before it is passed on.
    """
    writer = _Writer(write, ahead)
    with _Reader(items, max(ahead, batch)) as reader:
        try:
            for some in _batches(reader, batch):
                for result in work(some):
                    writer.put(result)
        finally:
            writer.close()
    writer.check()


def _batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    some: list[_Item] = []
    for item in items:
        some.append(item)
        if len(some) == size:
            yield some
            some = []
    if some:
        yield some


class _End:
    """What a queue holds last: nothing more will come, or something went wrong."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Reader(Generic[_Item]):
    """Takes items out of an iterable in a thread, some ahead."""

    def __init__(self, items: Iterable[_Item], ahead: int) -> None:
        self._queue: queue.Queue[_Item | _End] = queue.Queue(ahead)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(items,), daemon=True)
        self._thread.start()

    def __enter__(self) -> _Reader[_Item]:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def __iter__(self) -> Iterator[_Item]:
        while True:
            item = self._queue.get()
            if isinstance(item, _End):
                if item.error:
                    raise item.error
                return
            yield item

    def _read(self, items: Iterable[_Item]) -> None:
        try:
            for item in items:
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

    def __init__(self, write: Callable[[_Result], None], ahead: int) -> None:
        self._write = write
        self._queue: queue.Queue[_Result | _End] = queue.Queue(ahead)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, result: _Result) -> None:
        """Hand over a result; raises what went wrong with an earlier one."""
        self.check()
        self._queue.put(result)

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
            result = self._queue.get()
            if isinstance(result, _End):
                return
            if self._error:
                continue  # the queue must not fill up while the others stop
            try:
                self._write(result)
            except BaseException as error:
                self._error = error
