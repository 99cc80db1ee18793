"""How far a run is, on standard error, where a person is looking."""

from __future__ import annotations

import sys
import time

_EVERY = 0.1  # seconds from one line to the next
_WIDTH = 24  # characters of the bar


class Progress:
    """A bar with rate and time left, on a terminal alone."""

    def __init__(self, what: str, total: int, unit: str, shown: bool = True) -> None:
        """Begin; `total` 0 where nobody knows it."""
        self._what, self._total, self._unit = what, total, unit
        self._start = self._last = time.monotonic()
        self._done = 0
        self._shown = shown and sys.stderr.isatty()

    def step(self, count: int = 1) -> None:
        """Count what is done."""
        self._done += count
        now = time.monotonic()
        if self._shown and (now - self._last >= _EVERY or self._done == self._total):
            self._last = now
            sys.stderr.write(f"\r\x1b[K{self._line(now - self._start)}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the bar away, so that a message has the line to itself."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    @property
    def rate(self) -> float:
        """Units a second so far."""
        return self._done / max(time.monotonic() - self._start, 1e-9)

    def _line(self, seconds: float) -> str:
        rate = self._done / max(seconds, 1e-9)
        if not self._total:
            return f"{self._what}: {self._done} {self._unit}, {rate:.1f} a second"
        full = round(_WIDTH * min(self._done / self._total, 1.0))
        left = max(self._total - self._done, 0) / max(rate, 1e-9)
        bar = "#" * full + "." * (_WIDTH - full)
        return (
            f"{self._what} [{bar}] {self._done} of {self._total} {self._unit}, "
            f"{rate:.1f} a second, {_clock(left)} left"
        )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
