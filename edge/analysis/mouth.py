"""How far a mouth is open, from the 68 points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.face import Face
from edge.keypoints import KEYPOINT_NAMES
from edge.measures import Measure

# Of the 68 points: pairs on the inner border of the upper and the lower lip, and its corners.
_UPPER, _LOWER, _CORNERS = [61, 62, 63], [67, 66, 65], [60, 64]
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
    points = np.asarray(face.points68, np.float64)
    across = points[_CORNERS[1]] - points[_CORNERS[0]]
    width = float(np.linalg.norm(across))
    if not width > 0:
        return None
    down = np.array([-across[1], across[0]]) / width
    gap = float(((points[_LOWER] - points[_UPPER]) @ down).mean())
    deviation = _DEVIATION_PER_RADIUS * np.asarray(face.error, np.float64)[_LIPS]
    return Measure(max(gap, 0.0) / width, _error(deviation, width))


def _error(deviation: NDArray[np.float64], width: float) -> float:
    return _PROBABLE_ERROR * float(np.hypot(*deviation)) / width
