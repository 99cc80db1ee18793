"""The face mesh: named vertices, rotation, alignment and triangulation.

Vertices are numbered as in MediaPipe's Face Mesh. Points have x to the right and y down, px of a
padded crop, and z away from the viewer in the same unit.

Legend: N faces, P side of a padded crop, V vertices, T triangles.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.geometry.face_frame import roll_deg
from train.data.labelled_faces import PADDED

Points = NDArray[np.float64]

FACE_VERTICES = 468  # the ten vertices of the irises follow
# The predicted depth is too small. A factor of 1.5 would agree with the yaw, but lengthens noses.
DEPTH_SCALE = 1.35
_BORDER_POINTS = 5  # along each side of the crop
# Per eye, from the outer to the inner end: upper lid, lower lid, crease above the upper lid.
EYES = (
    ((246, 161, 160, 159, 158, 157, 173), (7, 163, 144, 145, 153, 154, 155),
     (247, 30, 29, 27, 28, 56, 190)),
    ((466, 388, 387, 386, 385, 384, 398), (249, 390, 373, 374, 380, 381, 382),
     (467, 260, 259, 257, 258, 286, 414)),
)  # fmt: skip
UPPER_LIP = (191, 80, 81, 82, 13, 312, 311, 310, 415)
LOWER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324)
LIP_CORNERS = (78, 308)
INNER_LIPS = (13, 14)  # middle of the upper and of the lower lip
FOREHEAD, CHIN = 10, 152


def rotation_about_axes(yaw_deg: float, pitch_deg: float) -> Points:
    """The rotation matrix `(3, 3)` of a yaw, about the vertical axis, followed by a pitch."""
    (yaw_cos, pitch_cos), (yaw_sin, pitch_sin) = (
        function(np.radians([yaw_deg, pitch_deg])) for function in (np.cos, np.sin)
    )
    yaw = np.array([[yaw_cos, 0, yaw_sin], [0, 1, 0], [-yaw_sin, 0, yaw_cos]])
    pitch = np.array([[1, 0, 0], [0, pitch_cos, -pitch_sin], [0, pitch_sin, pitch_cos]])
    return np.asarray(pitch @ yaw)


def rotation_between(mean: Points, mesh: Points) -> Points:
    """The least-squares rotation `(3, 3)` from the mean mesh to a mesh `(V, 3)` (Kabsch, 1976).

    `mean` has scaled depths and `mesh` those of the file.
    """
    scaled = mesh * (1, 1, DEPTH_SCALE)
    covariance = (scaled - scaled.mean(axis=0)).T @ (mean - mean.mean(axis=0))
    u, _, vt = np.linalg.svd(covariance)
    reflection = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    return np.asarray(u @ reflection @ vt)


def rotate_upright(
    points: NDArray[np.floating], keypoints: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Rotate points `(N, M, 2)` of padded crops about the centre until the faces are upright."""
    angle = -np.radians([roll_deg(face) for face in keypoints])
    rotation = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=1)
    centre = (PADDED - 1) / 2
    return np.asarray((points - centre) @ rotation.reshape(-1, 2, 2).swapaxes(1, 2) + centre)


def mean_mesh(mesh: NDArray[np.floating], keypoints: NDArray[np.floating]) -> Points:
    """The mean `(V, 3)` of meshes `(N, V, 3)`, rotated upright by keypoints `(N, 15, 2)`."""
    mean = rotate_upright(mesh[..., :2], keypoints).mean(axis=0)
    return np.column_stack([mean, mesh[..., 2].mean(axis=0) * DEPTH_SCALE])


def border_points(depth: float) -> Points:
    """Points `(B, 3)` along the sides of a padded crop, at one depth."""
    positions = np.linspace(-0.5, PADDED - 0.5, _BORDER_POINTS)
    grid = np.stack(np.meshgrid(positions, positions), axis=-1).reshape(-1, 2)
    border = ((grid == positions[0]) | (grid == positions[-1])).any(axis=1)
    return np.column_stack([grid[border], np.full(border.sum(), depth)])


def triangulate(points: Points) -> NDArray[np.int64]:
    """The Delaunay triangulation of points `(V, 2)`: rows of the points, `(T, 3)`."""
    low = points.min(axis=0) - 10
    high = points.max(axis=0) + 10
    corner = np.floor(low).astype(int)
    size = np.ceil(high - low).astype(int)
    subdivision = cv2.Subdiv2D((*corner.tolist(), *size.tolist()))
    for x, y in points.tolist():
        subdivision.insert((x, y))
    corners = np.asarray(subdivision.getTriangleList()).reshape(-1, 3, 2)
    squared = ((corners[:, :, None] - points[None, None]) ** 2).sum(axis=3)  # (T, 3, V)
    rows = squared.argmin(axis=2)
    # Triangles of the subdivision's outer vertices have corners that are none of the points.
    is_inner = (squared.min(axis=2) < 1e-2).all(axis=1)
    return np.asarray(rows[is_inner], np.int64)


def affine_matrices(target: Points, source: Points) -> Points:
    """The matrices `(T, 2, 3)` from target to source triangles, corners `(T, 3, 2)` each."""
    ones = np.ones((*target.shape[:2], 1))
    corners = np.concatenate([target, ones], axis=2)
    degenerate = np.abs(np.linalg.det(corners)) < 1e-6
    corners[degenerate] = np.eye(3)  # they cover no pixel
    return np.asarray((np.linalg.inv(corners) @ source).swapaxes(1, 2))
