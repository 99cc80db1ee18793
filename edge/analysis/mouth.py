"""How far a mouth is open, from the 68 points."""

from __future__ import annotations

import math

import numpy as np

from edge.face import Face
from edge.geometry.points68 import relative_gap
from edge.keypoints import KEYPOINT_NAMES
from edge.measures import Measure

# Of the 68 points: the corners of the inner lips, and pairs across them.
INNER_LIPS = ((60, 64), (61, 62, 63), (67, 66, 65))
_LIPS = [KEYPOINT_NAMES.index(f"mouth_center_{lip}_lip") for lip in ("top", "bottom")]
_DEVIATION_PER_RADIUS = 1 / 1.1774  # of a circular normal distribution
_PROBABLE_ERROR = 0.6745


def lip_opening(face: Face) -> Measure | None:
    """The opening between the inner lips, in widths of the inner mouth.

    Distances are along the mouth's own vertical, so that points of closed lips that cross count as
    closed. The 68 points have no errors of their own; those of the two lips' keypoints stand for
    them, taken as the error of each lip as a whole.

    Returns:
        None without the 68 points, or where the corners coincide.
    """
    if face.points68 is None:
        return None
    points = [complex(x, y) for x, y in np.asarray(face.points68).tolist()]
    gap = relative_gap(points, *INNER_LIPS)
    if gap is None:
        return None
    left, right = INNER_LIPS[0]
    width = abs(points[right] - points[left])
    deviation = math.hypot(*np.asarray(face.error)[_LIPS].tolist())
    error = _PROBABLE_ERROR * _DEVIATION_PER_RADIUS * deviation
    return Measure(max(gap, 0.0), error / width)
