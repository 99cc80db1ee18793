"""The fit of a head to keypoints: rotation, scale and shift, with their covariance.

The shape of the head is known in distribution only. The mean head is fitted by generalised least
squares (Aitken, 1936): its points may be off by their own errors and by what people and expressions
differ from the mean head, which moves neighbouring points together (`edge.geometry.head_shape`), so
that brows and mouth count less than eyes and nose. Gauss-Newton iterations start from the scaled
orthographic projection of least squares (DeMenthon and Davis, 1995).

Legend: K keypoints (15), M modes of the shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge.geometry.camera import NO_PERSPECTIVE, Camera
from edge.geometry.head_shape import HEAD_MODES, MEAN_HEAD

Array = NDArray[np.float64]

MIN_DEVIATION_CM = 1e-3  # keeps the covariance of exact points regular
MAX_STEPS = 10
LAST_STEP = 2e-3  # radians; each step is several times shorter than the one before
LONGEST_STEP = 0.5  # radians, and of the logarithm of the scale
USUAL_CHI_SQUARED = 36.4  # 19 of 20 faces have less, of 24 degrees of freedom
_START = np.linalg.pinv(MEAN_HEAD)  # (3, K)
_MODES = HEAD_MODES.transpose(1, 2, 0).copy()  # (K, 3, M)
# From a point p, the matrix whose product with w is w × p, `(3, 9)` to its nine entries.
_CROSS = np.zeros((3, 9))
_CROSS[[2, 0, 1], [1, 5, 6]] = 1
_CROSS[[1, 2, 0], [2, 3, 7]] = -1


@dataclass(frozen=True, slots=True, eq=False)
class HeadPose:
    """A pose of the mean head before a camera.

    Attributes:
        rotation: `(3, 3)`, from the head's axes to the camera's: x right, y down, z away.
        scale: px per cm at the head's centroid.
        shift: `(2,)` px, where the centroid is seen.
    """

    rotation: Array
    scale: float
    shift: Array

    def moved(self, step: Array) -> HeadPose:
        """The pose after a small change `(6,)`, in the order of `HeadFit.covariance`."""
        rotation = _rotation(step[:3]) @ self.rotation
        return HeadPose(rotation, self.scale * float(np.exp(step[3])), self.shift + step[4:])


@dataclass(frozen=True, slots=True, eq=False)
class HeadFit:
    """The mean head fitted to the keypoints of a face.

    Attributes:
        pose: the head's pose.
        covariance: `(6, 6)` of a small rotation about the camera's axes in radians, of the
            logarithm of the scale, and of the shift in px.
        excess: by how much the residuals exceed those of 19 of 20 faces, as the square root of the
            ratio of chi²; 1 where they do not.
        projection: of the mean head, near that pose.
        residual: `(2K,)` px, the keypoints less the projected mean head.
        noise: `(2K,)` px², the variances of the keypoints themselves.
    """

    pose: HeadPose
    covariance: Array
    excess: float
    projection: Projection
    residual: Array
    noise: Array


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """The mean head as a camera sees it, and what changes it.

    Attributes:
        points: `(2K,)` px.
        by_pose: `(2K, 6)`, derivatives in the order of `HeadFit.covariance`.
        by_point: `(K, 2, 3)` px per cm, derivatives by each point's own coordinates.
        modes: `(2K, M + 1)` px, by which the modes of the shape, and last a standard deviation of
            the focal length, move the points.
    """

    points: Array
    by_pose: Array
    by_point: Array
    modes: Array


def fit_head(
    keypoints: NDArray[np.floating],
    deviation: NDArray[np.floating],
    camera: Camera = NO_PERSPECTIVE,
) -> HeadFit | None:
    """Fit the mean head.

    Args:
        keypoints: `(15, 2)` px, in Kaggle's scheme or in the 68-point scheme.
        deviation: standard deviation of each coordinate of a keypoint, `(15,)` px.
        camera: the pose is relative to its line of sight to the face.

    Returns:
        The fit, not to be written to; None where the keypoints span no face.
    """
    points, deviations = (np.asarray(values, np.float64) for values in (keypoints, deviation))
    return _fit(points.tobytes(), deviations.tobytes(), camera)


# Measures, state and quality of one face need the same fit, which takes most of their time.
@lru_cache(maxsize=64)
def _fit(keypoints: bytes, deviations: bytes, camera: Camera) -> HeadFit | None:
    points, deviation = camera.facing(
        np.frombuffer(keypoints).reshape(-1, 2), np.frombuffer(deviations)
    )
    if not (np.isfinite(points).all() and np.isfinite(deviation).all()):
        return None
    pose = _orthographic_fit(points)
    fit = None
    for _ in range(MAX_STEPS):
        if not pose.scale > 0:
            return None
        try:
            fit, step = _step(points, deviation, camera, pose)
        except np.linalg.LinAlgError:
            return None
        pose = fit.pose
        if np.abs(step[:3]).max() <= LAST_STEP:
            break
    return fit


def _step(points: Array, deviation: Array, camera: Camera, pose: HeadPose) -> tuple[HeadFit, Array]:
    """One step of Gauss and Newton from a pose: the fit, and the change `(6,)` of the pose."""
    projection = project(pose, camera)
    residual = points.ravel() - projection.points
    noise = np.repeat(np.maximum(deviation, MIN_DEVIATION_CM * pose.scale) ** 2, 2)
    variance = projection.modes @ projection.modes.T
    variance.flat[:: len(noise) + 1] += noise
    weighted = np.linalg.solve(variance, np.column_stack([projection.by_pose, residual]))
    covariance = np.linalg.inv(projection.by_pose.T @ weighted[:, :6])
    gradient = projection.by_pose.T @ weighted[:, 6]
    step = covariance @ gradient
    chi_squared = residual @ weighted[:, 6] - step @ gradient
    excess = max(1.0, float(chi_squared) / USUAL_CHI_SQUARED) ** 0.5
    residual = residual - projection.by_pose @ step
    step = step * (LONGEST_STEP / max(LONGEST_STEP, np.abs(step[:4]).max()))
    return HeadFit(pose.moved(step), covariance, excess, projection, residual, noise), step


def project(pose: HeadPose, camera: Camera = NO_PERSPECTIVE) -> Projection:
    """Project the mean head.

    A point `(x, y, z)` of the rotated head, about its centroid at the distance d, is seen at
    `scale * (x, y) / (1 + z / d)` from the centroid's image, and `d = focal length / scale`.
    """
    head = MEAN_HEAD @ pose.rotation.T  # (K, 3)
    per_distance = pose.scale * camera.inverse_focal  # 1/cm
    near = pose.scale / (1 + per_distance * head[:, 2])  # px per cm at each point
    seen = head[:, :2] * near[:, None]
    by_camera = np.zeros((len(head), 2, 3))  # by the point's coordinates along the camera's axes
    by_camera[:, 0, 0] = by_camera[:, 1, 1] = near
    by_camera[:, :, 2] = seen * (near * -camera.inverse_focal)[:, None]
    by_pose = np.zeros((len(head), 2, 6))
    # A rotation by w moves a point p by w × p.
    by_pose[:, :, :3] = by_camera @ (head @ _CROSS).reshape(-1, 3, 3)
    by_pose[:, :, 3] = seen * (near / pose.scale)[:, None]
    by_pose[:, 0, 4] = by_pose[:, 1, 5] = 1
    by_point = by_camera @ pose.rotation
    modes = np.empty((len(head), 2, len(HEAD_MODES) + 1))
    modes[:, :, :-1] = by_point @ _MODES
    modes[:, :, -1] = seen * (near * head[:, 2] * -camera.deviation)[:, None]
    return Projection(
        points=(seen + pose.shift).ravel(),
        by_pose=by_pose.reshape(2 * len(head), -1),
        by_point=by_point,
        modes=modes.reshape(2 * len(head), -1),
    )


def _orthographic_fit(points: Array) -> HeadPose:
    """The scaled orthographic projection of least squares, all points weighing the same."""
    shift = points.mean(axis=0)
    left, sizes, axes = np.linalg.svd((_START @ (points - shift)).T, full_matrices=False)
    rows = left @ axes  # the nearest two orthogonal unit rows
    (a, b, c), (d, e, f) = rows
    third = [b * f - c * e, c * d - a * f, a * e - b * d]
    return HeadPose(np.array([*rows, third]), float(np.sqrt((sizes**2).mean())), shift)


def _rotation(vector: Array) -> Array:
    """The rotation about a vector `(3,)` by its length in radians (Rodrigues, 1840)."""
    x, y, z = vector
    angle = float(np.sqrt(vector @ vector))
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    if angle < 1e-12:
        return np.asarray(np.eye(3) + cross)
    sine, versine = np.sin(angle) / angle, (1 - np.cos(angle)) / angle**2
    return np.asarray(np.eye(3) + sine * cross + versine * cross @ cross)
