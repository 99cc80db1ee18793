"""Synthetic head rotations: faces with a mesh, rendered from other directions.

The padded crop is covered by triangles: the face mesh, a ring of hair and ears behind it, and the
fixed border of the crop. Mesh and ring are rotated in space; the triangles are then painted from
far to near with the pixels of the original, as in face profiling (Zhu et al., 2016). Eyelids and
lips are moved before the rotation.

Legend: N faces, P side of a padded crop, V vertices, T triangles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Matrix, scale_of, transform
from edge.geometry.face_frame import roll_deg
from edge.geometry.keypoint_frame import face_square
from edge.geometry.points68 import JAW_68
from train.data.annotation_schemes import from_68
from train.data.face_mesh import (
    CHIN,
    DEPTH_SCALE,
    EYES,
    FACE_VERTICES,
    FOREHEAD,
    INNER_LIPS,
    LIP_CORNERS,
    LOWER_LIP,
    UPPER_LIP,
    Points,
    affine_matrices,
    border_points,
    mean_mesh,
    rotate_upright,
    rotation_about_axes,
    rotation_between,
    triangulate,
)
from train.data.labelled_faces import PADDED, LabelledFaces, join_labelled, padded_crop_matrix

# Size relative to the outline of the face; depth in face heights; share of the rotation.
_RINGS = ((1.22, 0.35, 1.0), (1.7, 0.6, 0.5))
_HIDDEN_PX = 6.0  # a jaw point farther inside the rendered face than this is occluded by it
_SHIFT_BITS = 4  # fractional bits of coordinates in fillConvexPoly
_CLOSED_MOUTH = 0.06  # largest gap between closed lips, in mouth widths
_MIN_SCALE, _MAX_SCALE = 0.5, 2.0  # of the new crop relative to the old one


@dataclass(frozen=True, slots=True)
class Turn:
    """A change of a head's pose and expression.

    Attributes:
        yaw_deg: rotation about the vertical axis, added to the present one.
        pitch_deg: rotation about the horizontal axis, likewise; positive: downwards.
        eye_closure: of the right and the left eye, 0 (unchanged) to 1 (closed).
        jaw_opening: by how much the mouth is opened, in mouth widths.
        mouth_grey: grey value of the inside of the opened mouth.
    """

    yaw_deg: float
    pitch_deg: float
    eye_closure: tuple[float, float] = (0.0, 0.0)
    jaw_opening: float = 0.0
    mouth_grey: float = 30.0


@dataclass(frozen=True, slots=True)
class Rendering:
    """A face drawn from another direction.

    Attributes:
        image: uint8 `(P, P)`, a padded crop around the moved keypoints.
        keypoints: float32 `(15, 2)`, px of it.
        points68: float32 `(68, 2)`, likewise; NaN where the jaw is behind the face.
        vertices: float64 `(V, 3)`, of the face alone: x, y, and z away from the viewer, likewise.
        roll_deg: of the face, clockwise as seen.
    """

    image: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    points68: NDArray[np.float32]
    vertices: Points
    roll_deg: float


class HeadTurner:
    """Renders faces after a change of pose; one triangulation, of the mean mesh, serves all.

    Attributes:
        triangles: int64 `(T, 3)`, vertices of the mesh, followed by those of rings and border.
    """

    def __init__(self, faces: LabelledFaces, mesh: NDArray[np.float32]) -> None:
        """Compute the mean mesh.

        Args:
            faces: labelled faces.
            mesh: float32 `(N, 478, 3)`: x, y px of the padded crop and z in the same unit.
        """
        self._faces = faces
        self._mesh = mesh[:, :FACE_VERTICES]
        self._mean = mean_mesh(self._mesh, faces.keypoints)
        mean68 = np.nanmean(rotate_upright(faces.points68, faces.keypoints), axis=0)
        self._nearest, self._weights = _interpolation(mean68, self._mean[:, :2])
        hull = cv2.convexHull(self._mean[:, :2].astype(np.float32), returnPoints=False)
        self._outline = np.asarray(hull)[:, 0]
        # An open mouth keeps the triangles between the lips apart from those of the lips.
        opened = self._mean + self._open_mouth(self._mean, 0.3)
        self.triangles = triangulate(self._sheet(opened, np.eye(3))[0][:, :2])
        lips = [*UPPER_LIP, *LOWER_LIP, *LIP_CORNERS]
        self._is_mouth = np.asarray(np.isin(self.triangles, lips).all(axis=1))
        self._is_face = np.asarray((self.triangles < FACE_VERTICES).all(axis=1))

    def __len__(self) -> int:
        """The number of faces."""
        return len(self._faces)

    def yaw_deg(self, row: int) -> float:
        """The yaw of a face relative to the mean mesh, degrees."""
        rotation = rotation_between(self._mean, np.asarray(self._mesh[row], np.float64))
        return float(np.degrees(np.arcsin(np.clip(rotation[0, 2], -1, 1))))

    def __call__(self, row: int, turn: Turn) -> LabelledFaces | None:
        """Render one face; None where the rotated keypoints do not frame a face."""
        face = self.render(row, turn)
        return None if face is None else self._crop(row, face)

    def render(self, row: int, turn: Turn) -> Rendering | None:
        """Render one face with its mesh; None as of a call."""
        mesh = self.scaled_mesh(row)
        target, points68 = self._move(row, mesh, turn)
        change = from_68((points68 - self._faces.points68[row])[None])[0]
        keypoints = self._faces.keypoints[row] + change
        matrix = _crop_matrix(keypoints)
        if matrix is None:
            return None
        target[:, :2] = transform(matrix, target[:, :2])
        target[:, 2] *= scale_of(matrix)
        triangle_map = self._rasterise(target)
        image = self._draw(row, target, triangle_map)
        if _is_closed(mesh):
            image = self._darken_mouth(image, triangle_map, turn.mouth_grey)
        points = transform(matrix, points68).astype(np.float32)
        points[_are_hidden(points, self._is_face[triangle_map])] = np.nan
        return Rendering(
            image,
            transform(matrix, keypoints).astype(np.float32),
            points,
            target[:FACE_VERTICES],
            roll_deg(keypoints),
        )

    def _move(self, row: int, mesh: Points, turn: Turn) -> tuple[Points, Points]:
        """All vertices `(V, 3)` and the 68 points `(68, 2)` after a change, px of the old crop."""
        moved = self._close_eyes(mesh, turn.eye_closure) + self._open_mouth(mesh, turn.jaw_opening)
        rotation = rotation_about_axes(turn.yaw_deg, turn.pitch_deg)
        target, centre = self._sheet(mesh + moved, rotation)
        points68 = self._lift(self._faces.points68[row], mesh, moved)
        return target, ((points68 - centre) @ rotation.T + centre)[:, :2]

    def _crop(self, row: int, face: Rendering) -> LabelledFaces:
        """One crop `(P, P)` with its labels, of the group and set of a face."""
        return LabelledFaces(
            images=face.image[None],
            keypoints=face.keypoints[None],
            points68=face.points68[None],
            roll_deg=np.array([face.roll_deg], np.float32),
            is_face=np.ones(1, bool),
            turned=np.ones(1, bool),
            groups=self._faces.groups[row : row + 1],
            sources=self._faces.sources[row : row + 1],
        )

    def scaled_mesh(self, row: int) -> Points:
        """The mesh `(V, 3)` of a face with corrected depth."""
        return np.array(self._mesh[row], np.float64) * (1, 1, DEPTH_SCALE)

    def _sheet(self, mesh: Points, rotation: Points) -> tuple[Points, Points]:
        """The vertices of mesh, rings and border after a rotation, and its centre `(3,)`."""
        outline = mesh[self._outline]
        middle = outline.mean(axis=0)
        height = float(np.ptp(outline[:, 1]))
        centre = middle + np.array([0, 0, 0.15 * height])
        parts = [(mesh - centre) @ rotation.T + centre]
        for size, depth, share in _RINGS:
            ring = (outline - middle) * (size, size, 1) + middle + (0, 0, depth * height)
            rotated = (ring - centre) @ rotation.T + centre
            parts.append(ring + share * (rotated - ring))
        parts.append(border_points(middle[2] + 2 * height))
        return np.concatenate(parts), centre

    def _lift(self, points: NDArray[np.float32], mesh: Points, moved: Points) -> Points:
        """The 68 points in space `(68, 3)`, moved with the nearest vertices."""
        depth = (mesh[self._nearest, 2] * self._weights).sum(axis=1)
        change = (moved[self._nearest] * self._weights[..., None]).sum(axis=1)
        return np.asarray(np.column_stack([points, depth]) + change)

    def _close_eyes(self, mesh: Points, eye_closure: Sequence[float]) -> Points:
        """The displacement `(V, 3)` of the vertices when the eyes close."""
        moved = np.zeros_like(mesh)
        for (upper, lower, crease), closure in zip(EYES, eye_closure, strict=True):
            gap = mesh[list(lower)] - mesh[list(upper)]
            moved[list(upper)] = 0.9 * closure * gap
            moved[list(lower)] = -0.08 * closure * gap
            moved[list(crease)] = 0.4 * closure * gap
        return moved

    def _open_mouth(self, mesh: Points, jaw_opening: float) -> Points:
        """The displacement `(V, 3)` of the vertices when the mouth opens: the lower face drops."""
        corners = self._mean[list(LIP_CORNERS)]
        mean_width = np.ptp(corners[:, 0])
        mouth_x, mouth_y = corners[:, :2].mean(axis=0)
        aside = (self._mean[:, 0] - mouth_x) / mean_width
        below = np.clip((self._mean[:, 1] - mouth_y) / (0.1 * mean_width), 0, 1)
        share = below * np.exp(-((aside / 1.1) ** 2))
        share[list(LOWER_LIP)] = np.exp(-((aside[list(LOWER_LIP)] / 0.6) ** 2))
        share[list(UPPER_LIP)] = 0
        down = mesh[CHIN] - mesh[FOREHEAD]
        step = jaw_opening * _mouth_width(mesh) * down / np.linalg.norm(down)
        return np.asarray(share[:, None] * step)

    def _rasterise(self, target: Points) -> NDArray[np.int32]:
        """The row of the triangle that is visible at each pixel, `(P, P)`."""
        corners = target[self.triangles]  # (T, 3, 3)
        far_to_near = np.argsort(-corners[:, :, 2].mean(axis=1))
        fixed_point = np.round(corners[:, :, :2] * (1 << _SHIFT_BITS)).astype(np.int32)
        triangle_map = np.zeros((PADDED, PADDED), np.int32)
        for triangle in far_to_near.tolist():
            cv2.fillConvexPoly(triangle_map, fixed_point[triangle], triangle, shift=_SHIFT_BITS)
        return triangle_map

    def _draw(self, row: int, target: Points, triangle_map: NDArray[np.int32]) -> NDArray[np.uint8]:
        """The padded crop `(P, P)` with each triangle's original pixels at its new place."""
        source = self._sheet(self.scaled_mesh(row), np.eye(3))[0]
        corners = target[self.triangles][:, :, :2]
        matrices = affine_matrices(corners, source[self.triangles][:, :, :2])
        to_source = matrices[triangle_map]  # (P, P, 2, 3)
        y, x = np.mgrid[:PADDED, :PADDED]
        sampled = to_source @ np.stack([x, y, np.ones_like(x)], axis=-1)[..., None]
        map_x, map_y = sampled[..., 0].astype(np.float32).transpose(2, 0, 1)
        return np.asarray(
            cv2.remap(
                self._faces.images[row],
                map_x,
                map_y,
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
        )

    def _darken_mouth(
        self, image: NDArray[np.uint8], triangle_map: NDArray[np.int32], grey: float
    ) -> NDArray[np.uint8]:
        """Fill the inside of a mouth that was closed before."""
        mask = cv2.blur(self._is_mouth[triangle_map].astype(np.float32), (3, 3))
        return np.asarray(image * (1 - mask) + grey * mask).astype(np.uint8)


def random_turn(yaw_deg: float, rng: np.random.Generator) -> Turn:
    """Draw a change for a face with a given yaw; a rotated face is rotated further."""
    side = np.sign(yaw_deg) if abs(yaw_deg) > 8 else rng.choice([-1.0, 1.0])
    max_yaw = max(10.0, 62.0 - abs(yaw_deg))
    yaw = 0.0 if rng.random() < 0.25 else side * min(abs(rng.normal(0, 28)), max_yaw)
    pitch = rng.normal(0, 13) if rng.random() < 0.7 else 0.0
    eye_closure = (0.0, 0.0)
    if rng.random() < 0.4:
        closure = rng.uniform(0.3, 1.0)
        eye_closure = (closure, closure) if rng.random() < 0.85 else (closure, 0.0)
    jaw_opening = rng.uniform(0.08, 0.6) if rng.random() < 0.3 else 0.0
    pitch = float(np.clip(pitch, -30, 30))
    return Turn(float(yaw), pitch, eye_closure, jaw_opening, rng.uniform(8, 60))


def turn_faces(turner: HeadTurner, rng: np.random.Generator) -> LabelledFaces:
    """Render each face once after a random change; those that cannot be framed are omitted."""
    turned = (turner(row, random_turn(turner.yaw_deg(row), rng)) for row in range(len(turner)))
    return join_labelled([face for face in turned if face is not None])


def _interpolation(points: Points, vertices: Points) -> tuple[NDArray[np.int64], Points]:
    """The two vertices nearest to each point and their weights, `(68, 2)` each."""
    distance = np.linalg.norm(points[:, None] - vertices[None], axis=2)
    nearest = np.argsort(distance, axis=1)[:, :2]
    weights = 1 / (np.take_along_axis(distance, nearest, axis=1) + 0.5)
    return nearest, weights / weights.sum(axis=1, keepdims=True)


def _crop_matrix(keypoints: NDArray[np.floating]) -> Matrix | None:
    """From px of the padded crop to px of the new one around the moved keypoints."""
    square = face_square(keypoints)
    if square is None or not np.isfinite(square).all():
        return None
    matrix = padded_crop_matrix(square)
    return matrix if _MIN_SCALE < scale_of(matrix) < _MAX_SCALE else None


def _mouth_width(mesh: Points) -> float:
    return float(np.linalg.norm(mesh[LIP_CORNERS[1]] - mesh[LIP_CORNERS[0]]))


def _is_closed(mesh: Points) -> bool:
    """Whether the lips of a mesh touch."""
    upper, lower = INNER_LIPS
    return bool(np.linalg.norm(mesh[lower] - mesh[upper]) < _CLOSED_MOUTH * _mouth_width(mesh))


def _are_hidden(points: NDArray[np.float32], face: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the 68 points are jaw points behind the rendered face `(P, P)`, bool `(68,)`."""
    depth = cv2.distanceTransform(face.astype(np.uint8), cv2.DIST_L2, 3)
    x, y = np.clip(np.round(points), 0, PADDED - 1).astype(int).T
    hidden = depth[y, x] > _HIDDEN_PX
    hidden[len(JAW_68) :] = False
    return np.asarray(hidden)
