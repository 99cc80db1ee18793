"""Yawns and talking, from how far the mouth of one person is open.

A yawn is a mouth that is wide open for long: yawns last 4 to 7 s (Provine, 1986), spoken vowels a
fraction of a second. Talking is a mouth that opens and closes 2 to 7 times a second (Chandrasekaran
et al., 2009): its activity is the root mean square of the opening's change within such times.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from edge.analysis.event import Event
from edge.analysis.spans import SpanDetector, SpanSettings

# In widths of the inner mouth. Of drivers who do not yawn hardly any opening exceeds 0.2.
YAWN = SpanSettings(enter=0.4, leave=0.25, min_s=1.2, max_gap_s=0.3)
# Of `activity`, in mouth widths: closed mouths whose points tremble stay below 0.02.
TALKING = SpanSettings(enter=0.04, leave=0.025, min_s=1.0, max_gap_s=0.8)
_WINDOW_S = 1.0
_MIN_SAMPLES = 6
_MAX_STEP_S = 0.3  # between two samples, from which on activity is unknown


class MouthDetector:
    """Finds the yawns of one person and when it talks."""

    def __init__(self) -> None:
        """Begin without samples."""
        self._recent: deque[tuple[float, float]] = deque()
        self._yawn, self._talking = SpanDetector(YAWN), SpanDetector(TALKING)
        self._activity = 0.0

    @property
    def activity(self) -> float:
        """How much the mouth moved in the last second, in mouth widths; 0 at rest."""
        return self._activity

    def __call__(self, time: float, opening: float) -> Iterator[Event]:
        """Take the next opening, in mouth widths; yields what has just ended."""
        if self._recent and time - self._recent[-1][0] > _MAX_STEP_S:
            self._recent.clear()
        self._recent.append((time, opening))
        while time - self._recent[0][0] > _WINDOW_S:
            self._recent.popleft()
        self._activity = self._measure_activity()
        for span in self._yawn(time, opening):
            yield Event("yawn", span.start, span.end, {"opening": span.peak})
        for span in self._talking(time, self._activity):
            yield _talking(span.start, span.end, span.mean)

    def finish(self) -> Iterator[Event]:
        """Yield what is in progress."""
        for span in self._yawn.finish():
            yield Event("yawn", span.start, span.end, {"opening": span.peak})
        for span in self._talking.finish():
            yield _talking(span.start, span.end, span.mean)

    def _measure_activity(self) -> float:
        """The deviation of the openings from a straight line through them: a yawn is no speech."""
        if len(self._recent) < _MIN_SAMPLES:
            return 0.0
        times, values = np.array(self._recent).T
        times = times - times.mean()
        values = values - values.mean()
        spread = float(times @ times)
        slope = float(times @ values) / spread if spread > 0 else 0.0
        residual = values - slope * times
        # What turns round less than twice in a second is no speech either.
        turns = np.count_nonzero(np.diff(np.sign(residual)))
        return float(np.sqrt((residual**2).mean())) if turns >= 3 else 0.0


def _talking(start: float, end: float, activity: float) -> Event:
    return Event("talking", start, end, {"activity": activity})
