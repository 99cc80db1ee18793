"""An occluder of a face: an opacity and a grey value for each pixel, and how shapes become one.

Legend: P side of a padded crop (192), K keypoints (15).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Matrix, transform
from edge.geometry.face_frame import MEAN_FACE
from train.data.labelled_faces import PADDED

Grey = NDArray[np.uint8]
Values = NDArray[np.float32]  # (P, P)

_SHIFT_BITS = 4  # fractional bits of corners
# Opacity about a keypoint below which it is seen, and above which it is hidden.
_SEEN, _HIDDEN = 0.35, 0.65


@dataclass(frozen=True)  # without slots, which leave no room for cached properties
class Scene:
    """A face to be occluded.

    Attributes:
        image: uint8 `(P, P)`, the padded crop.
        keypoints: float32 `(K, 2)`, px of it.
        patches: pictures uint8 `(P, P)` of other things and people, for surfaces.
        faces: padded crops uint8 `(P, P)` of other people.
    """

    image: Grey
    keypoints: NDArray[np.float32]
    patches: list[Grey]
    faces: list[Grey]

    @cached_property
    def from_mean(self) -> Matrix:
        """The affine map of least squares from the mean face, `edge.geometry.face_frame`."""
        columns = np.column_stack([MEAN_FACE, np.ones(len(MEAN_FACE))])
        solution = np.linalg.lstsq(columns, self.keypoints.astype(np.float64), rcond=None)[0]
        return np.asarray(solution.T)

    def place(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points `(N, 2)` given in px of the mean face, in px of the crop."""
        return transform(self.from_mean, np.asarray(points, np.float64))

    @cached_property
    def unit(self) -> float:
        """Px of the crop in a px of the mean face."""
        return float(np.sqrt(abs(np.linalg.det(self.from_mean[:, :2]))))


@dataclass(frozen=True, slots=True)
class Layer:
    """An occluder of a face.

    Attributes:
        opacity: float32 `(P, P)`, 0–1.
        grey: float32 `(P, P)`, 0–255.
        hides: whether it hides what is below it; a shadow or clear glass does not.
    """

    opacity: Values
    grey: Values
    hides: bool = True


def compose_layer(image: Grey, layer: Layer, rng: np.random.Generator) -> Grey:
    """An image with a layer over it, uint8 `(P, P)`: sometimes soft, sometimes with a shadow."""
    opacity = layer.opacity
    if layer.hides and rng.random() < 0.4:
        opacity = np.asarray(cv2.GaussianBlur(opacity, (0, 0), rng.uniform(0.3, 1.2)))
    below = image.astype(np.float32)
    if layer.hides and rng.random() < 0.5:
        below *= 1 - _shadow(opacity, rng)
    mixed = below + (layer.grey - below) * opacity
    return np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)


def _shadow(opacity: Values, rng: np.random.Generator) -> Values:
    """By how much a layer darkens what is around it, `(P, P)`."""
    shift = rng.normal(0, 2.5, 2)
    matrix = np.array([[1.0, 0.0, shift[0]], [0.0, 1.0, shift[1]]])
    moved = cv2.warpAffine(opacity, matrix, (PADDED, PADDED))
    soft = cv2.GaussianBlur(moved, (0, 0), rng.uniform(1.0, 4.0))
    return np.asarray(soft * np.float32(rng.uniform(0.1, 0.5)), np.float32)


def hidden_shares(layer: Layer, keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far a layer hides each keypoint `(K, 2)`: 0 or 1 but at its rim, float32 `(K,)`."""
    if not layer.hides:
        return np.zeros(len(keypoints), np.float32)
    around = cv2.blur(layer.opacity, (3, 3))
    x, y = np.clip(np.rint(keypoints), 0, PADDED - 1).astype(int).T
    return np.asarray(np.clip((around[y, x] - _SEEN) / (_HIDDEN - _SEEN), 0, 1), np.float32)


def fill(corners: NDArray[np.floating]) -> Values:
    """The opacity of a polygon with corners `(N, 2)` px."""
    mask = np.zeros((PADDED, PADDED), np.uint8)
    fixed = np.rint(corners * (1 << _SHIFT_BITS)).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, _SHIFT_BITS)
    return np.asarray(mask / np.float32(255), np.float32)


def rounded(corners: NDArray[np.floating], times: int = 2) -> NDArray[np.float64]:
    """A closed polygon `(N, 2)` with its corners cut off repeatedly (Chaikin, 1974)."""
    points = np.asarray(corners, np.float64)
    for _ in range(times):
        following = np.roll(points, -1, axis=0)
        pairs = [0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following]
        points = np.stack(pairs, axis=1).reshape(-1, 2)
    return points


def draw_lines(
    canvas: Grey, lines: Sequence[NDArray[np.floating]], width: float, value: float
) -> None:
    """Draw open lines `(N, 2)` px of a width in px and a grey value, in place."""
    fixed = [np.rint(line * (1 << _SHIFT_BITS)).astype(np.int32) for line in lines]
    thickness = max(1, round(width))
    cv2.polylines(canvas, fixed, False, value, thickness, cv2.LINE_AA, _SHIFT_BITS)


def strokes(lines: Sequence[NDArray[np.floating]], width: float) -> Values:
    """The opacity of open lines, as of `draw_lines`."""
    mask = np.zeros((PADDED, PADDED), np.uint8)
    draw_lines(mask, lines, width, 255.0)
    return np.asarray(mask / np.float32(255), np.float32)


def capsule(
    start: NDArray[np.floating], end: NDArray[np.floating], radius: float
) -> tuple[Values, Values]:
    """A thick line with round ends: opacity, and distance from its axis in radii, `(P, P)` each.

    Distances are those near the line.
    """
    low, high = np.minimum(start, end) - radius - 2, np.maximum(start, end) + radius + 3
    left, top, right, bottom = np.clip([*low, *high], 0, PADDED).astype(int).tolist()
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    axis = np.asarray(end - start, np.float32)
    along = ((x - start[0]) * axis[0] + (y - start[1]) * axis[1]) / max(float(axis @ axis), 1e-6)
    along = np.clip(along, 0, 1)
    distance = np.hypot(x - start[0] - along * axis[0], y - start[1] - along * axis[1])
    opacity = np.zeros((PADDED, PADDED), np.float32)
    radii = np.full((PADDED, PADDED), 9, np.float32)
    opacity[top:bottom, left:right] = np.clip(radius - distance + 0.5, 0, 1)
    radii[top:bottom, left:right] = distance / radius
    return opacity, radii


def blob(centre: NDArray[np.floating], radius: float, rng: np.random.Generator) -> Values:
    """The opacity of a smooth random shape of about a radius in px."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    size = np.ones_like(angles)
    for order in (1, 2, 3, 5):
        size += rng.normal(0, 0.35 / order) * np.cos(order * angles + rng.uniform(0, 2 * np.pi))
    size = radius * np.clip(size, 0.2, 2.0)
    corners = np.column_stack([np.cos(angles), np.sin(angles)]) * size[:, None]
    return fill(rounded(centre + corners, 1))
