"""Closing and opening the eyes of photographs: lids that are moved over the eyeball.

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
_THINNEST_LID = 0.05  # gaps between crease and upper lid, of an eye that is opened wider


@dataclass(frozen=True, slots=True)
class LidLook:
    """How a lid that has moved down is drawn.

    Attributes:
        shade: change of the brightness of its skin, in parts, of a closed eye.
        lashes: darkness of the line of its lashes, 0–1, of a closed eye.
        lash_width: of that line to each side, in widths of the eye.
    """

    shade: float = 0.0
    lashes: float = 0.0
    lash_width: float = 0.06


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


def close_eye(
    picture: NDArray[np.uint8], lids: Lids, closure: float, look: LidLook | None = None
) -> NDArray[np.uint8]:
    """A picture with the eye closed by a share of its opening, or opened further.

    Args:
        picture: uint8 `(H, W)` or `(H, W, 3)`, in which the face is nearly upright.
        lids: of the eye, in px of the picture.
        closure: 0 (as it is) to 1 (closed); below 0 the eye is opened wider by that share.
        look: how the skin of the lid and the lashes are drawn; None leaves the skin as it is.
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
    after[1] = np.minimum(after[1], after[2] - _THINNEST_LID * gap)
    rows = np.arange(height, dtype=np.float64)[:, None]
    source = _source_rows(rows, before, after, gap > 0)
    map_x = np.tile(columns.astype(np.float32), (height, 1))
    rows_of = source.astype(np.float32)
    drawn = np.asarray(cv2.remap(picture, map_x, rows_of, cv2.INTER_LINEAR), np.uint8)
    if look is None or closure <= 0:
        return drawn
    is_lid = (rows > after[1]) & (rows < after[2]) & (gap > 0)
    distance = np.abs(rows - after[2]) / max(look.lash_width * (last - first), 1e-6)
    lashes = np.maximum(0.0, 1 - distance) * (gap > 0)
    factor = 1 + closure * (look.shade * is_lid - look.lashes * lashes)
    factor = np.asarray(cv2.GaussianBlur(factor.astype(np.float32), (3, 3), 0))
    factor = factor if picture.ndim == 2 else factor[..., None]
    return np.asarray(np.clip(drawn * factor, 0, 255), np.uint8)


def _source_rows(
    rows: Points, before: Points, after: Points, has_lids: NDArray[np.bool_]
) -> Points:
    """The row `(H, W)` that each pixel is drawn from: straight lines between moved lines."""
    after = after + 1e-3 * np.arange(len(after))[:, None]  # rises where the gap is none
    source = np.tile(rows, (1, before.shape[1]))
    for k in range(len(before) - 1):
        is_between = (rows > after[k]) & (rows <= after[k + 1]) & has_lids
        share = (rows - after[k]) / (after[k + 1] - after[k])
        source = np.where(is_between, before[k] + share * (before[k + 1] - before[k]), source)
    return np.asarray(source)


def _line(points: Points, columns: Points) -> Points:
    """The y of a line of points at each column."""
    order = np.argsort(points[:, 0])
    return np.asarray(np.interp(columns, points[order, 0], points[order, 1]))
