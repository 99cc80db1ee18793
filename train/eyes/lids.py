"""Closing the eyes of photographs: lids that are moved over the eyeball and drawn again.

A photo of an eye is warped column by column, along the face's vertical: the upper lid goes down to
meet the lower one, the skin above it is stretched, and what was between the lids shrinks to
nothing. Vertices are those of MediaPipe's Face Mesh (`train.data.face_mesh`).

Legend: H, W height and width of a picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from train.data.face_mesh import EYES

Points = NDArray[np.float64]

# Right and left eye of the mesh: outer and inner corner, middle of the upper and the lower lid.
CORNERS, MIDDLES = ((33, 133), (263, 362)), ((159, 145), (386, 374))
# Right and left eye of the 68 points: two points of each lid, and the corners.
_UPPER_68, _LOWER_68 = ((37, 38), (43, 44)), ((41, 40), (47, 46))
_CORNERS_68 = ((36, 39), (45, 42))
_UPPER_SHARE = 0.92  # of the gap that the upper lid closes; the lower one closes the rest
_CREASE_SHARE = 0.4  # of the gap by which the crease above the upper lid follows
_REACH = 1.2  # gaps beyond crease and lower lid where the skin is at rest


@dataclass(frozen=True, slots=True)
class Lids:
    """The lines of the lids of one eye in a picture.

    Attributes:
        corners: outer and inner corner, `(2, 2)` px.
        middles: middle of the upper and of the lower lid, `(2, 2)` px.
        upper: the upper lid between the corners, `(P, 2)` px, and `lower`, `crease` likewise.
    """

    corners: Points
    middles: Points
    upper: Points
    lower: Points
    crease: Points

    @property
    def opening(self) -> float:
        """The distance between the middles of the lids over that between the corners."""
        lids, width = (
            float(np.linalg.norm(pair[1] - pair[0])) for pair in (self.middles, self.corners)
        )
        return lids / width


def lids_of_mesh(mesh: Points, eye: int) -> Lids:
    """The lids of the right (0) or left (1) eye of a mesh `(V, 2)` px."""
    upper, lower, crease = EYES[eye]
    outer, inner = CORNERS[eye]
    lines = [
        mesh[[outer, *line, inner]] if line is not crease else mesh[list(line)]
        for line in (upper, lower, crease)
    ]
    return Lids(mesh[[outer, inner]], mesh[list(MIDDLES[eye])], *lines)


def opening_68(points68: Points, eye: int) -> float:
    """How far the right (0) or left (1) eye of the 68 points `(68, 2)` is open.

    The distance between the middles of the lids over that between the corners.
    """
    upper, lower = (points68[list(line[eye])].mean(axis=0) for line in (_UPPER_68, _LOWER_68))
    outer, inner = points68[list(_CORNERS_68[eye])]
    return float(np.linalg.norm(upper - lower) / np.linalg.norm(outer - inner))


def close_eye(picture: NDArray[np.uint8], lids: Lids, closure: float) -> NDArray[np.uint8]:
    """A picture with the eye closed by a share of its opening.

    Args:
        picture: uint8 `(H, W)` or `(H, W, 3)`, in which the face is nearly upright.
        lids: of the eye, in px of the picture.
        closure: 0 (as it is) to 1 (closed).
    """
    height, width = picture.shape[:2]
    columns = np.arange(width, dtype=np.float64)
    upper, lower, crease = (_line(line, columns) for line in (lids.upper, lids.lower, lids.crease))
    first, last = np.sort(lids.corners[:, 0])
    gap = np.where((columns > first) & (columns < last), np.maximum(lower - upper, 0.0), 0.0)
    crease = np.minimum(crease, upper - 0.15 * gap)
    reach = _REACH * gap
    before = np.stack([crease - reach, crease, upper, lower, lower + reach])
    moved = np.array([0.0, _CREASE_SHARE, _UPPER_SHARE, _UPPER_SHARE - 1, 0.0])[:, None] * gap
    after = before + closure * moved
    rows = np.arange(height, dtype=np.float64)
    source = np.tile(rows[:, None], (1, width))
    for column in np.flatnonzero(gap > 0).tolist():
        ends = after[:, column] + 1e-3 * np.arange(5)
        is_moved = (rows > ends[0]) & (rows < ends[-1])
        source[is_moved, column] = np.interp(rows[is_moved], ends, before[:, column])
    map_x = np.tile(columns.astype(np.float32), (height, 1))
    return np.asarray(cv2.remap(picture, map_x, source.astype(np.float32), cv2.INTER_LINEAR))


def _line(points: Points, columns: Points) -> Points:
    """The y of a line of points at each column."""
    order = np.argsort(points[:, 0])
    return np.asarray(np.interp(columns, points[order, 0], points[order, 1]))
