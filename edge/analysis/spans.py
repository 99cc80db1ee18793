"""Spans of time in which a value stays above a threshold, with hysteresis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpanSettings:
    """When a span begins and ends.

    Attributes:
        enter: value from which on it begins.
        leave: value below which it ends.
        min_s: shorter spans are dropped, seconds.
        max_gap_s: shorter gaps are bridged, and so are samples that are missing, seconds.
    """

    enter: float
    leave: float
    min_s: float
    max_gap_s: float = 0.2


@dataclass(frozen=True, slots=True)
class Span:
    """A span: when it began and ended, seconds, and the greatest and the mean value in it."""

    start: float
    end: float
    peak: float
    mean: float


class SpanDetector:
    """Finds the spans of one series of samples."""

    def __init__(self, settings: SpanSettings) -> None:
        """Begin without samples."""
        self._settings = settings
        self._start: float | None = None
        self._last = 0.0  # when the value was above `leave` for the last time
        self._peak = self._sum = 0.0
        self._count = 0

    def __call__(self, time: float, value: float) -> Iterator[Span]:
        """Take the next sample; yields the span that has just ended, if it is long enough."""
        settings = self._settings
        if self._start is not None and time - self._last > settings.max_gap_s:
            yield from self.finish()
        if self._start is None:
            if value < settings.enter:
                return
            self._start, self._peak, self._sum, self._count = time, value, 0.0, 0
        if value >= settings.leave:
            self._last = time
            self._peak = max(self._peak, value)
            self._sum += value
            self._count += 1

    def finish(self) -> Iterator[Span]:
        """End with the last sample; yields the span in progress, if it is long enough."""
        start, self._start = self._start, None
        if start is not None and self._last - start >= self._settings.min_s:
            yield Span(start, self._last, self._peak, self._sum / self._count)
