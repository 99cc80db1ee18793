"""The One Euro filter for keypoints: still points are held still, moving ones are not held back.

Casiez, Roussel and Vogel (2012): a first-order low pass whose cut-off frequency rises with speed.
A face moves as a whole, which all its points show together and hence surely, and in itself, as a
mouth that opens. The two are told apart and filtered each by its own speed, so that a head that
walks past is not held back, and its points do not tremble either.

Legend: K keypoints (15).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Complex, to_complex
from edge.geometry.face_frame import eye_span
from edge.geometry.similarity import fit_complex

Points = NDArray[np.float64]
_Number = TypeVar("_Number", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class Smoothing:
    """The filter's settings; speeds are in outer-canthal widths a second.

    Attributes:
        min_cutoff: cut-off frequency at rest, Hz. Lower is stiller, and slower to follow a creep.
        beta: by how much the cut-off frequency rises with the whole face's speed. Higher lags less.
        rest: speed of the whole face that does not count.
        own_beta: likewise with the speed of a point within the face.
        speed_cutoff: cut-off frequency of the measured speeds, Hz.
        dead_zone: speed within the face, or of the face from one frame to the next, that does not
            count: the network's own unrest.
    """

    min_cutoff: float = 0.6
    beta: float = 300.0
    rest: float = 0.03
    own_beta: float = 14.0
    speed_cutoff: float = 2.0
    dead_zone: float = 0.25


class PointFilter:
    """Smooths the keypoints of one face."""

    def __init__(self, settings: Smoothing) -> None:
        """Begin with the first points that are given."""
        self._settings = settings
        self._seen: Complex | None = None  # the last points, `(K,)`, as they came
        self._smooth = self._speed = self._own_speed = np.zeros(0, np.complex128)
        self._count = 1  # points given so far

    def __call__(self, points: Points, seconds: float) -> Points:
        """Smooth the next points.

        Args:
            points: `(15, 2)` px.
            seconds: since the last points.

        Returns:
            `(15, 2)` px; as they came, the first time and where they span no face.
        """
        now = to_complex(points)
        width = float(eye_span(points[None])[0])
        moved = None if self._seen is None else fit_complex(self._seen, now)
        if self._seen is None or moved is None or not (seconds > 0 and width > 0):
            self._seen = self._smooth = now
            # Of the face as a whole, at each point; and of each point within the face.
            self._speed = self._own_speed = np.zeros_like(now)
            self._count = 1
            return points
        settings = self._settings
        # The similarity from the last points to these is how the face as a whole has moved.
        carried = moved[0] * self._seen + moved[1]
        share = _share(settings.speed_cutoff, seconds)
        unit = width * seconds
        speed = (carried - self._seen) / unit
        self._speed = self._speed + share * (speed - self._speed)
        self._own_speed = self._own_speed + share * ((now - carried) / unit - self._own_speed)
        together = max(
            float(abs(self._speed).mean()) - settings.rest,
            # A face that turns back has a mean speed of 0 on its way.
            float(abs(speed).mean()) - settings.dead_zone,
            0.0,
        )
        alone = np.maximum(abs(self._own_speed) - settings.dead_zone, 0)
        placed = fit_complex(self._smooth, now)  # the smooth face where the face now is
        whole_way = self._smooth if placed is None else placed[0] * self._smooth + placed[1]
        self._count += 1
        # The first few count alike, so that the very first is no better than the others.
        least = 1 / self._count
        whole = max(_share(settings.min_cutoff + settings.beta * together, seconds), least)
        own = np.maximum(_share(settings.min_cutoff + settings.own_beta * alone, seconds), least)
        self._smooth = self._smooth + whole * (whole_way - self._smooth) + own * (now - whole_way)
        self._seen = now
        return self._smooth.view(np.float64).reshape(-1, 2).copy()


def _share(cutoff: _Number, seconds: float) -> _Number:
    """The share of the new value in a first-order low pass, 0–1."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff * seconds))
