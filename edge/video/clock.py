"""The presentation times of a video's frames, in seconds after the first."""

from __future__ import annotations

from fractions import Fraction

_MAX_STEP_BACK = 0.75  # frames; a time that is further before the last one begins anew
_MAX_STEP_BACK_S = 0.5  # likewise, of films of few frames a second
_LEAST_STEP = 0.25  # frames, after one whose time is not before that of the next


class Clock:
    """Turns presentation time stamps into seconds that rise with each frame.

    Attributes:
        origin: the first frame's time by the file's own clock, seconds.
        shifts: from the file's own clock to ours, seconds; a further one from each place on at
            which its time stamps restart.
    """

    def __init__(self, interval: float, overflow: Fraction | None = None) -> None:
        """Begin a file.

        Args:
            interval: seconds after which frames without a time stamp follow the one before.
            overflow: seconds after which the time stamps restart, which FFmpeg adds to those
                that it takes for overflown, also where files were joined; None for never.
        """
        self.origin = 0.0
        self.shifts: list[Fraction] = []
        self._interval = interval
        self._overflow = overflow
        self._last_own = Fraction(0)  # by the file's own clock
        self._max_back = min(_MAX_STEP_BACK_S, _MAX_STEP_BACK * interval)
        self._last: float | None = None
        self._was_late = False  # whether the last frame's own time was not after the one before

    def seconds(self, stamp: int | None, unit: Fraction | None) -> float:
        """The time of the next frame, in presentation order.

        Where the time stamps restart, as in files that were joined, the time goes on. A single
        time stamp that does not rise is an inaccuracy, and its frame follows soon.

        Args:
            stamp: the frame's time stamp; None where the file has none.
            unit: of the time stamp, seconds; None likewise.
        """
        following = 0.0 if self._last is None else self._last + self._interval
        if stamp is None or unit is None:
            self._last = following
        else:
            self._last = self._rising(self._own(stamp * Fraction(unit)), following)
        return self._last

    def _own(self, own: Fraction) -> Fraction:
        if self._overflow and self.shifts and own > self._last_own + self._overflow / 2:
            own -= self._overflow
        self._last_own = own
        return own

    def _rising(self, own: Fraction, following: float) -> float:
        if not self.shifts:
            self.origin = float(own) - following
            self.shifts.append(Fraction(following) - own)
            return following
        seconds = float(own + self.shifts[-1])
        last = following - self._interval if self._last is None else self._last
        if seconds > last:
            self._was_late = False
            return seconds
        if self._was_late or seconds < last - self._max_back:
            self._was_late = False
            self.shifts.append(Fraction(following) - own)
            return following
        self._was_late = True
        return last + _LEAST_STEP * self._interval
