"""PERCLOS: the share of a window of time in which the eyes of one person are closed.

Wierwille et al. (1994): closed is by 80 % of the open eye or more, which the person's own open eye
is the measure of. Blinks count, as they do there.
"""

from __future__ import annotations

from collections import deque

WINDOW_S = 60.0
CLOSED_SHARE = 0.2  # of the open eye
_MIN_S = 5.0  # of samples, below which there is no value
_MAX_STEP_S = 0.5  # that one sample stands for, at most


class Perclos:
    """The share of the last minute in which the eyes were closed."""

    def __init__(self, window_s: float = WINDOW_S) -> None:
        """Begin without samples.

        Args:
            window_s: of time, seconds.
        """
        self._window_s = window_s
        self._samples: deque[tuple[float, float, float]] = deque()  # time, seconds, closed seconds
        self._seconds = self._closed = 0.0
        self._last: float | None = None

    @property
    def value(self) -> float | None:
        """0–1; None in the first seconds."""
        return self._closed / self._seconds if self._seconds >= _MIN_S else None

    def __call__(self, time: float, opening: float, open_level: float) -> None:
        """Take the mean opening of both eyes, and that of the person's open eyes."""
        if self._last is not None:
            seconds = min(time - self._last, _MAX_STEP_S)
            closed = seconds if opening <= CLOSED_SHARE * open_level else 0.0
            self._samples.append((time, seconds, closed))
            self._seconds += seconds
            self._closed += closed
        self._last = time
        while self._samples and time - self._samples[0][0] > self._window_s:
            _, seconds, closed = self._samples.popleft()
            self._seconds -= seconds
            self._closed -= closed
