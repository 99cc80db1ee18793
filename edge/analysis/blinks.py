"""Blinks and longer closures of the eyes of one person.

A blink is a short dip of the eyes' opening below what it was just before. How deep a dip must be
follows from that person's own open eye and from how much the same means of openings vary anyway, in
the last seconds and in the last half minute, so that small and blurred faces give fewer blinks
instead of invented ones. The mean of the two eyes, in which the steadier and surer one weighs more,
is searched for dips in which both take part, as far as they are seen: an eye that hardly counts, as
that of a profile behind its nose, has no say. Each eye alone is searched for deeper dips, and only
where it is measured well, as most dips of one eye of a face of 30 px are errors.

People blink with both eyes, errors come one by one. So how often each eye dips that deep alone says
how often both do so by chance, and a dip has to be the deeper: the deviations that it exceeds at
least grow with the logarithm of the product of both counts.

Blinks last 100–400 ms (Schiffman, 2001); what lasts longer than `MAX_BLINK_S` is a closure.

Legend: T samples, E eyes (2: right, left).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edge.analysis.event import Event

MAX_BLINK_S = 0.5  # between half-closed and half-open
# Depths of the mean of a dip, in openings of the person's open eye: of the mean of both, of each of
# both at least, and of one eye alone.
_MIN_DEPTH, _MIN_SHARED_DEPTH, _MIN_WINK_DEPTH = 0.4, 0.2, 0.6
# Deviations of such means that a dip of both eyes, and of one, exceeds at least.
_NOISE_FACTOR, _WINK_NOISE_FACTOR = 4.0, 9.5
_COMMON_FACTOR = 0.75  # deviations more where all noise moves both eyes alike
# Deviations more for each e-fold of an eye's dips alone in the last half minute, which are at least
# that part of the dip, while the other eye dips by less than that part of its own.
_ALONE_FACTOR, _ALONE_SHARE, _OTHER_SHARE = 0.5, 0.85, 0.3
_UNKNOWN_S = 1.5  # over the seconds of the track: dips alone that might have been before it
_MIN_ALONE = 0.15  # openings of the open eye, of such dips of an eye that hardly dips now
_MIN_NOISE = 0.005  # eye widths
_ERROR_SHARE = 0.5  # of the stated error, that counts as noise between the eyes
_MIN_SHARE = 0.2  # in the mean, below which an eye has no say
_MAX_ERROR = 0.3  # stated, in openings of the person's open eye, above which an eye is not seen
# Eye widths: of films of faces 30 px wide, most dips of one eye that exceed it in error are none.
_MAX_WINK_ERROR = 0.022
# Over which a dip is averaged: no wrong frame is a blink, and noise needs more frames.
_PEAKS_S = (0.05, 0.1)
_REST_S = 0.7  # over which the opening before a dip is taken
_NOISE_S, _LONG_NOISE_S = 4.0, 30.0  # over which the deviations are estimated
_LAG_S = 0.25  # between means whose differences are noise, whatever the eyes do slowly
_TAIL, _TAIL_DEVIATIONS = 0.1, 1.2816  # the quantile of a normal distribution
_LONG_TAIL, _LONG_TAIL_DEVIATIONS = 0.8, 1.2816  # likewise of absolute values
_DEVIATION_PER_MEDIAN = 1.4826  # of a normal distribution
_OPEN_S = 60.0  # over which the opening of the open eye is taken
_SAMPLE_S = 0.25  # between two samples of it
_MIN_REST = 5  # samples
_OPEN_SHARE = 0.6  # of the widest openings, above which an eye counts as open
_RECOVERED = 0.5  # of the depth, at which a dip begins and ends
_CLOSED_SHARE = 0.4  # of the open eye, above which eyes are narrow, as of one who looks down
_APART_S = 0.2  # between the end of one event and the beginning of the next
_MAX_GAP_S = 0.5  # without the face, after which the past says nothing
_USUAL_OPENING = 0.3  # before anything is known of the person
_LEAD = 3  # samples before a dip that it begins with

Array = NDArray[np.float64]


@dataclass(slots=True)
class _Series:
    """Samples of both eyes: times, openings `(T, E)` and their probable errors `(T, E)`."""

    times: list[float] = field(default_factory=list)
    openings: list[tuple[float, float]] = field(default_factory=list)
    errors: list[tuple[float, float]] = field(default_factory=list)

    def add(self, time: float, openings: tuple[float, float], errors: tuple[float, float]) -> None:
        self.times.append(time)
        self.openings.append(openings)
        self.errors.append(errors)

    def drop(self, first: int, stop: int) -> None:
        """Forget samples, from one to before another."""
        del self.times[first:stop], self.openings[first:stop], self.errors[first:stop]

    def forget_before(self, time: float) -> None:
        self.drop(0, bisect_left(self.times, time))


@dataclass(slots=True)
class _Dip:
    """A dip in progress.

    Attributes:
        rest: mean opening before, as the eyes weigh.
        weights: `(E,)`, of the eyes in the mean that dips.
        eye: which eyes take part.
        times: of the samples since just before it began.
        values: their mean openings.
    """

    rest: float
    weights: Array
    eye: str
    times: list[float]
    values: list[float]


@dataclass(frozen=True)  # without slots, which leave no room for cached properties
class _Noise:
    """How much means of openings vary without a blink.

    Attributes:
        means: `(T, E)`, of all runs of as many samples as a dip's mean has, before it.
        recent: how many of the last of them say how the eyes are now.
        lag: how many samples apart two of them are independent.
    """

    means: Array
    recent: int
    lag: int

    def deviation(self, weights: Array) -> Array:
        """The deviations `(M,)` of means with the weights `(E, M)` of the eyes."""
        means = self.means @ weights
        recent = means[-self.recent :]
        middle = np.median(recent, axis=0)
        spread = _DEVIATION_PER_MEDIAN * np.median(np.abs(recent - middle), axis=0)
        tail = (middle - np.quantile(recent, _TAIL, axis=0)) / _TAIL_DEVIATIONS
        steps = np.abs(means[self.lag :] - means[: -self.lag])
        if len(steps) >= _MIN_REST:
            long = np.quantile(steps, _LONG_TAIL, axis=0) / _LONG_TAIL_DEVIATIONS / np.sqrt(2)
            tail = np.maximum(tail, long)
        return np.asarray(np.maximum(np.maximum(spread, tail), _MIN_NOISE))

    @cached_property
    def drops(self) -> Array:
        """How far each mean is below the median of its eye, `(T, E)`."""
        return np.asarray(np.median(self.means, axis=0) - self.means)

    def common_share(self) -> float:
        """By how much more often both eyes are on one side of their medians than on two, 0-1.

        Blinks that were missed are too few to matter.
        """
        is_above = self.drops < 0
        return max(0.0, 2 * float((is_above[:, 0] == is_above[:, 1]).mean()) - 1)

    def dips_alone(self, drop: Array) -> Array:
        """How many means `(E,)` of each eye, and not the other, were as low as after a drop `(E,)`.

        An eye is compared with its median, and counts as not low if it dropped by little.
        """
        is_low, is_lowered = (self.drops >= k * drop for k in (_ALONE_SHARE, _OTHER_SHARE))
        return np.asarray((is_low & ~is_lowered[:, ::-1]).sum(axis=0))


class BlinkDetector:
    """Finds the blinks and closures of one person, sample by sample."""

    def __init__(self) -> None:
        """Begin without samples."""
        self._series = _Series()
        self._open: deque[float] = deque(maxlen=round(_OPEN_S / _SAMPLE_S))
        self._open_level = _USUAL_OPENING
        self._open_time = self._end = -np.inf
        self._dip: _Dip | None = None

    @property
    def open_level(self) -> float:
        """The opening of this person's open eyes, in eye widths."""
        return self._open_level

    def __call__(
        self, time: float, right: float, left: float, errors: tuple[float, float] = (0.0, 0.0)
    ) -> list[Event]:
        """Take the next sample.

        Args:
            time: seconds, rising.
            right: opening of the right eye, in eye widths.
            left: likewise of the left eye.
            errors: probable errors of both.

        Returns:
            What has just ended: at most one blink or closure.
        """
        series = self._series
        if series.times and time - series.times[-1] > _MAX_GAP_S:
            self._series = series = _Series()
            self._dip = None
        series.add(time, (right, left), errors)
        series.forget_before(time - _LONG_NOISE_S)
        self._update_open_level(time, (right + left) / 2)
        if self._dip is None:
            self._dip = self._begin(time)
            return []
        self._dip.times.append(time)
        self._dip.values.append(float(self._dip.weights @ (right, left)))
        return self._go_on(self._dip)

    def finish(self) -> list[Event]:
        """End with the last sample; returns the closure in progress."""
        dip, self._dip = self._dip, None
        if dip is None or dip.times[-1] - dip.times[0] <= MAX_BLINK_S:
            return []
        return [_event(dip, dip.times[0], dip.times[-1])]

    def _update_open_level(self, time: float, opening: float) -> None:
        if time - self._open_time < _SAMPLE_S:
            return
        self._open_time = time
        self._open.append(opening)
        values = np.array(self._open)
        widest = np.quantile(values, 0.9)
        self._open_level = max(float(np.median(values[values >= _OPEN_SHARE * widest])), 1e-3)

    def _begin(self, now: float) -> _Dip | None:
        """The dip that begins where the last samples are far below those before them."""
        if now - self._end < _APART_S:
            return None
        first = bisect_left(self._series.times, now - _PEAKS_S[-1] - _REST_S)
        times, openings = (
            np.array(values[first:]) for values in (self._series.times, self._series.openings)
        )
        for peak_s in _PEAKS_S:
            peak = int((now - times < peak_s).sum())
            before = openings[:-peak][times[:-peak] >= now - peak_s - _REST_S]
            if len(before) < _MIN_REST:
                return None
            rest = np.median(before, axis=0)
            drop = rest - openings[-peak:].mean(axis=0)
            if drop.max() >= _MIN_DEPTH * self._open_level:
                found = self._taking_part(drop, self._noise(peak, now))
                if found is not None:
                    weights, eye = found
                    samples = openings[-peak - _LEAD :] @ weights
                    start = times[-peak - _LEAD :]
                    return _Dip(float(rest @ weights), weights, eye, [*start], [*samples])
        return None

    def _taking_part(self, drop: Array, noise: _Noise) -> tuple[Array, str] | None:
        """The eyes that a drop of both `(E,)` is a dip of: their weights `(E,)` and name."""
        level, alone = self._open_level, noise.deviation(np.eye(2))
        error = np.median(self._series.errors[-noise.recent :], axis=0)
        is_seen = error <= _MAX_ERROR * level
        if not is_seen.any():
            return None
        weights = is_seen / (alone**2 + (_ERROR_SHARE * error) ** 2)
        weights /= weights.sum()
        counts = noise.dips_alone(np.maximum(drop, _MIN_ALONE * level))
        counts = counts + _UNKNOWN_S / max(self._series.times[-1] - self._series.times[0], 1e-3)
        more = _ALONE_FACTOR * np.log1p(2 * counts)  # of the deviations, for each eye
        if drop[weights >= _MIN_SHARE].min() >= _MIN_SHARED_DEPTH * level:
            # Motion moves both eyes alike, so that their mean may vary more than errors that are
            # independent would make it.
            both = max(
                float((alone[is_seen] ** -2).sum()) ** -0.5, noise.deviation(weights[:, None])[0]
            )
            # An eye that has no say could have dipped at any time.
            more[weights < _MIN_SHARE] = _ALONE_FACTOR * np.log1p(2 * len(noise.means))
            least = _NOISE_FACTOR + _COMMON_FACTOR * noise.common_share() + more.sum()
            if weights @ drop >= max(_MIN_DEPTH * level, least * both):
                return weights, "both"
            return None
        one = int(drop.argmax())
        least = max(_MIN_WINK_DEPTH * level, (_WINK_NOISE_FACTOR + more[one]) * alone[one])
        if error[one] <= _MAX_WINK_ERROR and drop[one] >= least:
            return np.eye(2)[one], ("right", "left")[one]
        return None

    def _noise(self, peak: int, now: float) -> _Noise:
        """The noise of means of `peak` samples, but for the last ones."""
        openings = np.array(self._series.openings[:-peak])
        sums = np.cumsum(np.vstack([np.zeros(2), openings]), axis=0)
        times = self._series.times
        recent = len(times) - bisect_left(times, now - _NOISE_S)
        lag = len(times) - bisect_left(times, now - _LAG_S)
        return _Noise((sums[peak:] - sums[:-peak]) / peak, recent, lag)

    def _go_on(self, dip: _Dip) -> list[Event]:
        """The event of a dip that has ended with its last sample."""
        times, values = np.array(dip.times), np.array(dip.values)
        threshold = dip.rest - _RECOVERED * (dip.rest - float(values.min()))
        if values[-1] < threshold:
            if times[-1] - times[0] > MAX_BLINK_S and self._is_narrow(values):
                self._dip = None
            return []
        self._dip = None
        start, end = _crossings(times, values, threshold)
        self._end = end
        stop = bisect_left(self._series.times, end)
        self._series.drop(bisect_left(self._series.times, start), stop)
        if end - start > MAX_BLINK_S and self._is_narrow(values):
            return []
        return [_event(dip, start, end)]

    def _is_narrow(self, values: Array) -> bool:
        """Whether the eyes are narrow rather than closed."""
        return bool(np.median(values) > _CLOSED_SHARE * self._open_level)


def _event(dip: _Dip, start: float, end: float) -> Event:
    depth = min(1 - min(dip.values) / max(dip.rest, 1e-6), 1.0)
    kind = "blink" if end - start <= MAX_BLINK_S else "eyes_closed"
    return Event(kind, float(start), float(end), {"eye": dip.eye, "depth": float(depth)})


def _crossings(times: Array, values: Array, threshold: float) -> tuple[float, float]:
    """When a dip that ends with the last of its values goes below a threshold, and above it."""
    below = np.flatnonzero(values < threshold)
    first, last = int(below[0]), int(below[-1])
    start = float(times[0]) if first == 0 else _cross(times, values, first - 1, threshold)
    return start, _cross(times, values, last, threshold)


def _cross(times: Array, values: Array, i: int, threshold: float) -> float:
    share = (threshold - values[i]) / (values[i + 1] - values[i])
    return float(times[i] + share * (times[i + 1] - times[i]))
