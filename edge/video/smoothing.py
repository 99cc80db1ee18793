"""Temporal smoothing of keypoints with the One Euro filter.

Casiez, Roussel and Vogel (2012): a first-order low pass whose cut-off frequency rises with speed,
so that still points do not jitter and moving ones do not lag. A face moves as a whole, which all
its points show together and hence with little noise, and within itself, as a mouth that opens. The
two motions are separated and filtered each by its own speed: a walking head does not lag, and its
points do not jitter either.

Legend: K points of a face, its 15 keypoints or the 68 points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Complex, to_complex
from edge.geometry.similarity import fit_complex
from edge.keypoints import OUTER_EYE_CORNERS, OUTER_EYE_CORNERS_68
from edge.refinement import FacePass

Points = NDArray[np.float64]
_Cutoff = TypeVar("_Cutoff", float, NDArray[np.float64])


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
        """Begin without a face; the first one is returned as it is."""
        self._keypoints = PointFilter(settings)
        self._points68 = PointFilter(settings, OUTER_EYE_CORNERS_68)

    def __call__(self, face: FacePass, seconds: float) -> FacePass:
        """The next face with smooth points, `seconds` after the last."""
        keypoints = self._keypoints(face.keypoints.astype(np.float64), seconds)
        points68 = face.points68
        if points68 is not None:
            points68 = self._points68(points68.astype(np.float64), seconds).astype(np.float32)
        return replace(face, keypoints=keypoints.astype(np.float32), points68=points68)


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
        self._outer_corners = list(outer_corners)
        self._raw: Complex | None = None  # the last points, `(K,)`, unfiltered
        self._smooth = np.zeros(0, np.complex128)
        self._face_velocity = np.zeros(0, np.complex128)  # of the whole face, at each point
        self._own_velocity = np.zeros(0, np.complex128)  # of each point within the face
        self._count = 1  # points filtered so far

    def __call__(self, points: Points, seconds: float) -> Points:
        """Smooth the next points.

        Args:
            points: `(K, 2)` px.
            seconds: since the last points.

        Returns:
            `(K, 2)` px; the points themselves the first time and where they coincide.
        """
        raw = to_complex(points)
        first, second = points[self._outer_corners]
        width = float(np.linalg.norm(first - second))
        motion = None if self._raw is None else fit_complex(self._raw, raw)
        if self._raw is None or motion is None or not (seconds > 0 and width > 0):
            self._reset(raw)
            return points
        # The similarity from the last points to these is how the face as a whole has moved.
        moved = motion[0] * self._raw + motion[1]
        unit = width * seconds
        velocity, own_velocity = (moved - self._raw) / unit, (raw - moved) / unit
        face_speed, own_speed = self._update_speeds(velocity, own_velocity, seconds)
        fitted = fit_complex(self._smooth, raw)  # the smooth face, moved to where the face is now
        target = self._smooth if fitted is None else fitted[0] * self._smooth + fitted[1]
        self._count += 1
        face_gain, own_gain = self._gains(face_speed, own_speed, seconds)
        self._smooth = (
            self._smooth + face_gain * (target - self._smooth) + own_gain * (raw - target)
        )
        self._raw = raw
        return self._smooth.view(np.float64).reshape(-1, 2).copy()

    def _reset(self, raw: Complex) -> None:
        self._raw = self._smooth = raw
        self._face_velocity = self._own_velocity = np.zeros_like(raw)
        self._count = 1

    def _update_speeds(
        self, velocity: Complex, own_velocity: Complex, seconds: float
    ) -> tuple[float, NDArray[np.float64]]:
        """Filter both velocities; returns the speeds of the face and of each point that count."""
        settings = self._settings
        gain = _gain(settings.speed_cutoff, seconds)
        self._face_velocity = self._face_velocity + gain * (velocity - self._face_velocity)
        self._own_velocity = self._own_velocity + gain * (own_velocity - self._own_velocity)
        face_speed = max(
            float(abs(self._face_velocity).mean()) - settings.rest,
            # The filtered velocity of a face that reverses passes through 0.
            float(abs(velocity).mean()) - settings.dead_zone,
            0.0,
        )
        return face_speed, np.maximum(abs(self._own_velocity) - settings.dead_zone, 0)

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
