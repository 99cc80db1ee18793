"""Temporal smoothing of keypoints with the One Euro filter.

Casiez, Roussel and Vogel (2012): a first-order low pass whose cut-off frequency rises with speed,
so that still points do not jitter and moving ones do not lag. A face moves as a whole, which all
its points show together and hence with little noise, and within itself, as a mouth that opens. The
two motions are separated and filtered each by its own speed: a walking head does not lag, and its
points do not jitter either.

Points are complex numbers `x + iy`. Legend: K points of a face, its 15 keypoints or the 68 points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Complex
from edge.geometry.points68 import OUTER_EYE_CORNERS_68
from edge.keypoints import OUTER_EYE_CORNERS

_Cutoff = TypeVar("_Cutoff", float, NDArray[np.float64])
_MIN_SPREAD = 1e-6  # px², below which points coincide, but for rounding


@dataclass(frozen=True, slots=True)
class Smoothing:
    """The filter's settings; speeds are in outer-canthal widths a second.

    Attributes:
        min_cutoff: cut-off frequency at rest, Hz. Lower jitters less and follows slow motion later.
        beta: by how much the cut-off frequency rises with the whole face's speed. Higher lags less.
        rest: speed of the whole face that does not count.
        own_beta: likewise with the speed of a point within the face.
        speed_cutoff: cut-off frequency of the measured speeds, Hz.
        dead_zone: speed within the face, or of the face from one frame to the next, that does not
            count: the network's own jitter.
    """

    min_cutoff: float = 0.6
    beta: float = 300.0
    rest: float = 0.03
    own_beta: float = 14.0
    speed_cutoff: float = 2.0
    dead_zone: float = 0.25


class FaceFilter:
    """Smooths the keypoints of one face, and its 68 points if they are predicted."""

    def __init__(self, settings: Smoothing) -> None:
        """Begin without a face; the points of the first one are returned as they are."""
        self._points = PointFilter(settings)
        self._points68 = PointFilter(settings, OUTER_EYE_CORNERS_68)

    def __call__(
        self, points: Complex, points68: Complex | None, seconds: float
    ) -> tuple[Complex, Complex | None]:
        """The next keypoints and 68 points, `seconds` after the last."""
        smooth68 = None if points68 is None else self._points68(points68, seconds)
        return self._points(points, seconds), smooth68


class _Shape:
    """Points `(K,)` from which a similarity is fitted to others, by least squares."""

    def __init__(self, points: Complex) -> None:
        self.points = points
        self._mean = complex(points.sum()) / len(points)
        self._centred = points - self._mean
        self._spread = float(np.vdot(self._centred, self._centred).real)

    def fitted_to(self, other: _Shape) -> Complex | None:
        """The points laid over others by a similarity; None where either coincide."""
        if not (self._spread > _MIN_SPREAD and other._spread > _MIN_SPREAD):
            return None
        factor = complex(np.vdot(self._centred, other._centred)) / self._spread
        return self._centred * factor + other._mean


class PointFilter:
    """Smooths points of one face, each set of points by itself."""

    def __init__(
        self, settings: Smoothing, outer_corners: tuple[int, int] = OUTER_EYE_CORNERS
    ) -> None:
        """Begin without points; the first ones are returned as they are.

        Args:
            settings: of the filter.
            outer_corners: rows of the outer eye corners, whose distance is the unit of speeds.
        """
        self._settings = settings
        self._outer_corners = outer_corners
        self._raw: _Shape | None = None  # the last points, unfiltered
        self._smooth = np.zeros(0, np.complex128)
        # `(2, K)`: of the whole face, at each point, and of each point within the face.
        self._velocities = np.zeros((2, 0), np.complex128)
        self._count = 1  # points filtered so far

    def __call__(self, points: Complex, seconds: float) -> Complex:
        """Smooth the next points.

        Args:
            points: complex128 `(K,)` px.
            seconds: since the last points.

        Returns:
            complex128 `(K,)` px; the points themselves the first time and where they coincide.
        """
        raw, last = _Shape(points), self._raw
        first, second = self._outer_corners
        unit = abs(complex(points[first]) - complex(points[second])) * seconds
        # The similarity from the last points to these is how the face as a whole has moved.
        moved = last.fitted_to(raw) if last is not None and unit > 0 else None
        self._raw = raw
        if last is None or moved is None:
            self._smooth = points
            self._velocities = np.zeros((2, len(points)), np.complex128)
            self._count = 1
            return points
        velocities = np.array((moved - last.points, points - moved)) / unit
        face_speed, own_speed = self._update_speeds(velocities, seconds)
        # The smooth face, moved to where the face is now.
        target = _Shape(self._smooth).fitted_to(raw)
        target = self._smooth if target is None else target
        self._count += 1
        face_gain, own_gain = self._gains(face_speed, own_speed, seconds)
        smooth = self._smooth + face_gain * (target - self._smooth)
        self._smooth = smooth + own_gain * (points - target)
        return self._smooth

    def _update_speeds(
        self, velocities: Complex, seconds: float
    ) -> tuple[float, NDArray[np.float64]]:
        """Filter both velocities; returns the speeds of the face and of each point that count."""
        settings, count = self._settings, velocities.shape[1]
        gain = _gain(settings.speed_cutoff, seconds)
        self._velocities = self._velocities + gain * (velocities - self._velocities)
        face, own = np.abs(self._velocities)
        face_speed = max(
            float(face.sum()) / count - settings.rest,
            # The filtered velocity of a face that reverses passes through 0.
            float(np.abs(velocities[0]).sum()) / count - settings.dead_zone,
            0.0,
        )
        return face_speed, np.maximum(own - settings.dead_zone, 0)

    def _gains(
        self, face_speed: float, own_speed: NDArray[np.float64], seconds: float
    ) -> tuple[float, NDArray[np.float64]]:
        """Gains of the filters of the whole face and of each point."""
        settings = self._settings
        # The first few points count alike, so that the very first has no more weight than others.
        min_gain = 1 / self._count
        face_cutoff = settings.min_cutoff + settings.beta * face_speed
        own_cutoff = settings.min_cutoff + settings.own_beta * own_speed
        return (
            max(_gain(face_cutoff, seconds), min_gain),
            np.maximum(_gain(own_cutoff, seconds), min_gain),
        )


def _gain(cutoff: _Cutoff, seconds: float) -> _Cutoff:
    """Weight of the new value in a first-order low pass, 0–1."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff * seconds))
