"""How far a mouth is open, from the 68 points."""

from __future__ import annotations

import math

import numpy as np

from edge.face import Face
from edge.keypoints import KEYPOINT_NAMES
from edge.measures import Measure

# Of the 68 points: pairs on the inner border of the upper and the lower lip, and its corners.
_UPPER, _LOWER, _CORNERS = (61, 62, 63), (67, 66, 65), (60, 64)
_POINTS = [*_CORNERS, *_UPPER, *_LOWER]
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
    # In plain Python, as numpy takes several times as long for a few numbers.
    points = np.asarray(face.points68)[_POINTS].tolist()
    (left, top), (right, bottom) = points[:2]
    across, along = right - left, bottom - top
    width = math.hypot(across, along)
    if not width > 0:
        return None
    right = sum(lower[0] - upper[0] for upper, lower in zip(points[2:5], points[5:], strict=True))
    down = sum(lower[1] - upper[1] for upper, lower in zip(points[2:5], points[5:], strict=True))
    gap = (down * across - right * along) / (3 * width)
    deviation = math.hypot(*np.asarray(face.error)[_LIPS].tolist())
    error = _PROBABLE_ERROR * _DEVIATION_PER_RADIUS * deviation
    return Measure(max(gap, 0.0) / width, error / width)
