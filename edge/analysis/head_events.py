"""Nods and shakes of one head, and when it faces the camera.

A nod is a pitch, a shake a yaw that swings to and fro: at least `MIN_SWINGS` swings, each of more
than `MIN_SWING_DEG` and of less than `MAX_SWING_S`. Nods of people who agree swing at 1 to 6 Hz
(Hadar et al., 1983).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from edge.analysis.event import Event
from edge.analysis.spans import Span, SpanDetector, SpanSettings

MIN_SWING_DEG = 4.0
MIN_SWINGS = 3  # down, up, down
MAX_SWING_S = 0.6
FACING = SpanSettings(enter=0.6, leave=0.4, min_s=0.5, max_gap_s=0.3)


class SwingDetector:
    """Finds where an angle swings to and fro."""

    def __init__(self, kind: str) -> None:
        """Begin without samples; events are of this kind."""
        self._kind = kind
        self._extreme: tuple[float, float] | None = None  # time and angle of the current one
        self._direction = 0  # 1 while the angle rises
        self._turns: list[tuple[float, float]] = []  # the extremes of the swings so far

    def __call__(self, time: float, angle_deg: float) -> Iterator[Event]:
        """Take the next angle; yields the event that has just ended."""
        if self._extreme is None:
            self._extreme = (time, angle_deg)
            return
        extreme_time, extreme = self._extreme
        change = angle_deg - extreme
        if self._direction == 0 or change * self._direction > 0:
            self._go_on(time, angle_deg, change)
        elif abs(change) >= MIN_SWING_DEG:
            self._turns.append(self._extreme)
            self._extreme, self._direction = (time, angle_deg), -self._direction
            yield from self._drop_slow()
        if time - extreme_time > MAX_SWING_S and self._turns:
            yield from self.finish()

    def finish(self) -> Iterator[Event]:
        """End with the last sample; yields the event in progress."""
        turns, self._turns = self._turns, []
        if self._extreme is not None:
            turns = [*turns, self._extreme]
        if len(turns) > MIN_SWINGS:
            yield self._event(turns)

    def _go_on(self, time: float, angle_deg: float, change: float) -> None:
        """Move the extreme along, and begin a direction once it is a swing's."""
        if self._direction == 0:
            if abs(change) < MIN_SWING_DEG:
                return
            self._direction = 1 if change > 0 else -1
            self._turns = [] if self._extreme is None else [self._extreme]
        self._extreme = (time, angle_deg)

    def _drop_slow(self) -> Iterator[Event]:
        """End the event before a swing that was too slow."""
        if len(self._turns) >= 2 and self._turns[-1][0] - self._turns[-2][0] > MAX_SWING_S:
            turns, self._turns = self._turns[:-1], self._turns[-1:]
            if len(turns) > MIN_SWINGS:
                yield self._event(turns)

    def _event(self, turns: list[tuple[float, float]]) -> Event:
        swings = [abs(b[1] - a[1]) for a, b in pairwise(turns)]
        details = {"swings": len(swings), "amplitude_deg": sum(swings) / len(swings)}
        return Event(self._kind, turns[0][0], turns[-1][0], details)


class FacingDetector:
    """Finds when a head faces the camera."""

    def __init__(self) -> None:
        """Begin without samples."""
        self._span = SpanDetector(FACING)

    def __call__(self, time: float, facing: float) -> Iterator[Event]:
        """Take the next probability; yields the span that has just ended."""
        yield from map(_facing, self._span(time, facing))

    def finish(self) -> Iterator[Event]:
        """Yield the span in progress."""
        yield from map(_facing, self._span.finish())


def _facing(span: Span) -> Event:
    return Event("facing", span.start, span.end, {"probability": span.mean})
