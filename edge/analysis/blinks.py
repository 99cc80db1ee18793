"""Blinks and longer closures of the eyes of one person.

A blink is a short dip of the eyes' opening below what it was just before. How deep a dip must be
follows from that person's own open eye and from how much its openings vary anyway, so that small
and blurred faces give fewer blinks instead of invented ones. The mean of the two eyes, in which the
steadier one weighs more, is searched for dips in which both take part, and each eye alone for
deeper ones; the latter only where that eye is measured well, as most dips of one eye of a face of
30 px are errors.

Blinks last 100–400 ms (Schiffman, 2001); what lasts longer than `MAX_BLINK_S` is a closure.

Legend: T samples, E eyes (2: right, left).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.analysis.event import Event

MAX_BLINK_S = 0.5  # between half-closed and half-open
# Depths of a dip's mean over `_PEAK_S`, in openings of the person's open eye: of the mean of both,
# of each of both at least, and of one eye alone.
_MIN_DEPTH, _MIN_SHARED_DEPTH, _MIN_WINK_DEPTH = 0.4, 0.2, 0.6
# Deviations of the openings that a dip of both eyes, and of one, exceeds at least.
_NOISE_FACTOR, _WINK_NOISE_FACTOR = 4.0, 8.0
_MIN_NOISE = 0.005  # eye widths
# Eye widths: of films of faces 30 px wide, most dips of one eye that exceed it in error are none.
_MAX_WINK_ERROR = 0.028
_PEAK_S = 0.05  # over which a dip is averaged, so that one wrong frame is no blink
_REST_S = 0.7  # over which the opening before a dip is taken
_NOISE_S = 4.0  # over which the deviation is estimated
_OPEN_S = 60.0  # over which the opening of the open eye is taken
_SAMPLE_S = 0.25  # between two samples of it
_MIN_REST = 5  # samples
_OPEN_SHARE = 0.6  # of the widest openings, above which an eye counts as open
_RECOVERED = 0.5  # of the depth, at which a dip begins and ends
_CLOSED_SHARE = 0.4  # of the open eye, above which eyes are narrow, as of one who looks down
_MAX_GAP_S = 0.5  # without the face, after which the past says nothing
_USUAL_OPENING = 0.3  # before anything is known of the person
_DEVIATION_PER_MEDIAN = 1.4826  # of a normal distribution

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Sample:
    """The openings `(E,)` at a time, and their probable errors `(E,)`."""

    time: float
    openings: Array
    errors: Array


@dataclass(slots=True)
class _Dip:
    """A dip in progress.

    Attributes:
        rest: `(E,)`, the openings before.
        weights: `(E,)`, of the eyes in the mean that dips.
        eye: which eyes take part.
        samples: since just before it began.
    """

    rest: Array
    weights: Array
    eye: str
    samples: list[_Sample]

    def series(self) -> tuple[Array, Array]:
        """The times and the mean openings, `(T,)` each."""
        times = np.array([sample.time for sample in self.samples])
        return times, np.array([sample.openings for sample in self.samples]) @ self.weights


class BlinkDetector:
    """Finds the blinks and closures of one person, sample by sample."""

    def __init__(self) -> None:
        """Begin without samples."""
        self._recent: deque[_Sample] = deque()
        self._open: deque[float] = deque(maxlen=round(_OPEN_S / _SAMPLE_S))
        self._open_level = _USUAL_OPENING
        self._open_time = -np.inf
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
        if self._recent and time - self._recent[-1].time > _MAX_GAP_S:
            self._recent.clear()
            self._dip = None
        sample = _Sample(time, np.array([right, left]), np.array(errors))
        self._recent.append(sample)
        while time - self._recent[0].time > _NOISE_S:
            self._recent.popleft()
        self._update_open_level(sample)
        if self._dip is None:
            self._dip = self._begin(time)
            return []
        self._dip.samples.append(sample)
        return self._go_on(self._dip)

    def finish(self) -> list[Event]:
        """End with the last sample; returns the closure in progress."""
        dip, self._dip = self._dip, None
        if dip is None:
            return []
        times, values = dip.series()
        if times[-1] - times[0] <= MAX_BLINK_S:
            return []
        return [_event(dip, float(times[0]), float(times[-1]), values)]

    def _update_open_level(self, sample: _Sample) -> None:
        if sample.time - self._open_time < _SAMPLE_S:
            return
        self._open_time = sample.time
        self._open.append(float(sample.openings.mean()))
        values = np.array(self._open)
        widest = np.quantile(values, 0.9)
        self._open_level = max(float(np.median(values[values >= _OPEN_SHARE * widest])), 1e-3)

    def _begin(self, now: float) -> _Dip | None:
        """The dip that begins where the last samples are far below those before them."""
        peak = [s for s in self._recent if now - s.time < _PEAK_S]
        before = [s for s in self._recent if _PEAK_S <= now - s.time <= _PEAK_S + _REST_S]
        if len(before) < _MIN_REST:
            return None
        rest = np.median([s.openings for s in before], axis=0)
        drop = rest - np.mean([s.openings for s in peak], axis=0)
        if drop.max() < _MIN_DEPTH * self._open_level:
            return None
        noise = self._noise()
        weights = noise**-2 / (noise**-2).sum()
        # Motion moves both eyes alike, so that their mean may vary more than errors that are
        # independent would make it.
        both_noise = max(float((noise**-2).sum()) ** -0.5, float(self._noise(weights)))
        level = self._open_level
        samples = before[-3:] + peak
        if drop.min() >= _MIN_SHARED_DEPTH * level:
            if weights @ drop >= max(_MIN_DEPTH * level, _NOISE_FACTOR * both_noise):
                return _Dip(rest, weights, "both", samples)
            return None
        one = int(drop.argmax())
        if self._is_wink(one, float(drop[one]), float(noise[one])):
            return _Dip(rest, np.eye(2)[one], ("right", "left")[one], samples)
        return None

    def _is_wink(self, eye: int, drop: float, noise: float) -> bool:
        """Whether one eye has closed; only one that is measured well is believed."""
        if np.median([s.errors[eye] for s in self._recent]) > _MAX_WINK_ERROR:
            return False
        return drop >= max(_MIN_WINK_DEPTH * self._open_level, _WINK_NOISE_FACTOR * noise)

    def _noise(self, weights: Array | None = None) -> Array:
        """The deviation of each eye's recent openings, `(E,)`, or of a weighted mean of them."""
        values = np.array([s.openings for s in self._recent])
        values = values if weights is None else values @ weights
        spread = np.median(np.abs(values - np.median(values, axis=0)), axis=0)
        return np.asarray(np.maximum(_DEVIATION_PER_MEDIAN * spread, _MIN_NOISE))

    def _go_on(self, dip: _Dip) -> list[Event]:
        """The event of a dip that has ended with its last sample."""
        times, values = dip.series()
        level = float(dip.rest @ dip.weights)
        threshold = level - _RECOVERED * (level - float(values.min()))
        if values[-1] < threshold:
            if times[-1] - times[0] > MAX_BLINK_S and self._is_narrow(values):
                self._dip = None
            return []
        self._dip = None
        start, end = _crossings(times, values, threshold)
        self._recent = deque(s for s in self._recent if not start <= s.time <= end)
        if end - start > MAX_BLINK_S and self._is_narrow(values):
            return []
        return [_event(dip, start, end, values)]

    def _is_narrow(self, values: Array) -> bool:
        """Whether the eyes are narrow rather than closed."""
        return bool(np.median(values) > _CLOSED_SHARE * self._open_level)


def _event(dip: _Dip, start: float, end: float, values: Array) -> Event:
    level = max(float(dip.rest @ dip.weights), 1e-6)
    depth = min(1 - float(values.min()) / level, 1.0)
    kind = "blink" if end - start <= MAX_BLINK_S else "eyes_closed"
    return Event(kind, start, end, {"eye": dip.eye, "depth": depth})


def _crossings(times: Array, values: Array, threshold: float) -> tuple[float, float]:
    """When a dip that ends with the last of its values goes below a threshold, and above it."""
    below = np.flatnonzero(values < threshold)
    first, last = int(below[0]), int(below[-1])
    start = float(times[0]) if first == 0 else _cross(times, values, first - 1, threshold)
    return start, _cross(times, values, last, threshold)


def _cross(times: Array, values: Array, i: int, threshold: float) -> float:
    share = (threshold - values[i]) / (values[i + 1] - values[i])
    return float(times[i] + share * (times[i + 1] - times[i]))
