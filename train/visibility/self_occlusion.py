"""Which keypoints a face hides itself, by its mesh: those turned away from the viewer.

Legend: K keypoints (15), V mesh vertices (468), T triangles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from train.data.face_mesh import FACE_VERTICES, Points

# A point this far behind a part of the face is hidden by it, of the distance that the mean face's
# keypoints have from their centroid; a mesh's depth is rough.
_DEPTH_BEHIND = 0.16
_NEAREST = 3  # vertices whose mean depth a keypoint has


class SelfOcclusion:
    """Tells which keypoints are behind other parts of their face."""

    def __init__(
        self, triangles: NDArray[np.int64], mean_mesh: Points, mean_points: Points
    ) -> None:
        """Find the vertices around each keypoint.

        Args:
            triangles: `(T, 3)`, of which those of the face are used.
            mean_mesh: `(V, 3)` or more rows.
            mean_points: the mean keypoints `(K, 2)` in the same px.
        """
        self._triangles = triangles[(triangles < FACE_VERTICES).all(axis=1)]
        vertices = mean_mesh[:FACE_VERTICES, :2]
        distance = np.linalg.norm(mean_points[:, None] - vertices[None], axis=2)
        self._nearest = np.argsort(distance, axis=1)[:, :_NEAREST]

    def __call__(self, vertices: Points, keypoints: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which keypoints are hidden, bool `(K,)`.

        Args:
            vertices: `(V, 3)`: x, y px and z away from the viewer in the same unit.
            keypoints: `(K, 2)` px.
        """
        own = vertices[self._nearest].mean(axis=1)  # (K, 3)
        corners = vertices[self._triangles]  # (T, 3, 3)
        # The surface at the vertices' own place: keypoints may be off the mesh by a little.
        weights = _barycentric(corners[:, :, :2], own[:, :2])  # (K, T, 3)
        is_inside = (weights >= 0).all(axis=2)
        depth = (weights * corners[None, :, :, 2]).sum(axis=2)
        front = np.where(is_inside, depth, np.inf).min(axis=1)
        size = np.linalg.norm(vertices - vertices.mean(axis=0), axis=1).mean()
        return np.asarray(own[:, 2] - front > _DEPTH_BEHIND * size)


def _barycentric(corners: Points, points: Points) -> Points:
    """The weights `(K, T, 3)` of the corners of triangles `(T, 3, 2)` at points `(K, 2)`."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    area = _cross(b - a, c - a)
    area = np.where(np.abs(area) < 1e-9, np.inf, area)  # such triangles cover no point
    at = points[:, None]
    second, third = _cross(at - a, c - a) / area, _cross(b - a, at - a) / area
    weights = np.stack([1 - second - third, second, third], axis=2)
    weights[:, ~np.isfinite(area)] = -1
    return np.asarray(weights)


def _cross(u: Points, v: Points) -> Points:
    return np.asarray(u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0])
