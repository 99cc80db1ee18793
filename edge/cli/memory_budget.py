"""A bound on memory held between threads, such as decoded images that wait to be written."""

from __future__ import annotations

import threading
from collections.abc import Callable

_POLL_S = 0.1  # interval at which a waiting thread checks whether it is to stop


class MemoryBudget:
    """A counting semaphore over sizes; thread-safe."""

    def __init__(self, capacity: float) -> None:
        """Allow `capacity` in total, in any unit; a single larger item is allowed alone."""
        self._capacity, self._held = capacity, 0
        self._changed = threading.Condition()

    def acquire(self, size: int, stop: Callable[[], bool]) -> None:
        """Wait until `size` fits, nothing else is held, or `stop()` is true; then count it."""
        with self._changed:
            while self._held and self._held + size > self._capacity and not stop():
                self._changed.wait(_POLL_S)
            self._held += size

    def release(self, size: int) -> None:
        """Return what `acquire` counted."""
        with self._changed:
            self._held -= size
            self._changed.notify_all()
