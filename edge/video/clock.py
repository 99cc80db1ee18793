"""The presentation times of a video's frames, in seconds after the first."""

from __future__ import annotations

from fractions import Fraction

_MAX_STEP_BACK_S = 0.5  # within which a time before the last one is an inaccuracy of the file


class Clock:
    """Turns presentation time stamps into seconds that never fall.

    Attributes:
        origin: the first frame's time by the file's own clock, seconds.
    """

    def __init__(self, interval: float) -> None:
        """Frames without a time stamp follow the one before after `interval` seconds."""
        self.origin = 0.0
        self._interval = interval
        self._shift = Fraction(0)  # from the time stamps' seconds to ours
        self._last: float | None = None

    def seconds(self, stamp: int | None, unit: Fraction | None) -> float:
        """The time of the next frame, in presentation order.

        Where the time stamps begin anew, as in files that were joined, the time goes on.

        Args:
            stamp: the frame's time stamp; None where the file has none.
            unit: of the time stamp, seconds; None likewise.
        """
        following = 0.0 if self._last is None else self._last + self._interval
        if stamp is None or unit is None:
            self._last = following
            return following
        own = stamp * Fraction(unit)
        if self._last is None:
            self._shift, self.origin = -own, float(own)
        elif own + self._shift < self._last - _MAX_STEP_BACK_S:
            self._shift = Fraction(following) - own
        self._last = max(float(own + self._shift), self._last or 0.0)
        return self._last
