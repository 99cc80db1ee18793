"""A progress bar on standard error, if that is a terminal."""

from __future__ import annotations

import sys
import time

_UPDATE_S = 0.1  # shortest interval between two updates
_WIDTH = 24  # characters of the bar
_ERASE_LINE = "\r\x1b[K"  # ANSI: carriage return, erase to the end of the line


class Progress:
    """A bar with the rate and the remaining time."""

    def __init__(self, name: str, total: int, unit: str, shown: bool = True) -> None:
        """Start the clock.

        Args:
            name: of the work.
            total: number of units of work; 0 if unknown, which shows counts without a bar.
            unit: plural noun for the units.
            shown: False counts without showing anything, terminal or not.
        """
        self._name = name
        self._total = total
        self._unit = unit
        self._start = self._updated = time.monotonic()
        self._done = 0
        self._shown = shown and sys.stderr.isatty()

    def step(self, count: int = 1) -> None:
        """Count finished units, and update the bar."""
        self._done += count
        now = time.monotonic()
        if self._shown and (now - self._updated >= _UPDATE_S or self._done == self._total):
            self._updated = now
            sys.stderr.write(f"{_ERASE_LINE}{self._line(now - self._start)}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Erase the bar until the next update, so that a message can be printed."""
        if self._shown:
            sys.stderr.write(_ERASE_LINE)
            sys.stderr.flush()

    @property
    def rate(self) -> float:
        """Units per second since the start."""
        return self._done / max(time.monotonic() - self._start, 1e-9)

    def _line(self, seconds: float) -> str:
        rate = self._done / max(seconds, 1e-9)
        if not self._total:
            return f"{self._name}: {self._done} {self._unit}, {rate:.1f} per second"
        filled = round(_WIDTH * min(self._done / self._total, 1.0))
        bar = "#" * filled + "." * (_WIDTH - filled)
        remaining_s = max(self._total - self._done, 0) / max(rate, 1e-9)
        return (
            f"{self._name} [{bar}] {self._done} of {self._total} {self._unit}, "
            f"{rate:.1f} per second, {_clock(remaining_s)} left"
        )


def _clock(seconds: float) -> str:
    """A duration as minutes:seconds, or hours:minutes:seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
