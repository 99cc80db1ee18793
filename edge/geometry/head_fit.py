"""The fit of a head to keypoints: rotation, scale and shift, with their covariance.

The shape of the head is known in distribution only. The mean head is fitted by generalised least
squares (Aitken, 1936): its points may be off by their own errors and by what people and expressions
differ from the mean head, which moves neighbouring points together (`edge.geometry.head_shape`), so
that brows and mouth count less than eyes and nose. Gauss-Newton iterations start from a scaled
orthographic projection (DeMenthon and Davis, 1995), fitted likewise with the covariance of a head
that looks straight ahead: from there, one suffices for most faces, and its derivatives for what
perspective and large rotations leave.

Legend: K keypoints (15), M modes of the shape.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge.geometry.camera import NO_PERSPECTIVE, Camera
from edge.geometry.head_shape import HEAD_MODES, MEAN_HEAD

Array = NDArray[np.float64]

MIN_DEVIATION_CM = 1e-3  # keeps the covariance of exact points regular
MAX_STEPS = 10
LAST_STEP = 0.01  # radians; each step is several times shorter than the one before
NEAR_STEP = 0.1  # radians; after a shorter one the derivatives still hold
LONGEST_STEP = 0.5  # radians, and of the logarithm of the scale
USUAL_CHI_SQUARED = 36.4  # 19 of 20 faces have less, of 24 degrees of freedom
_FLAT = 1e-9  # of a size, or of its square, below which another is a rounding error
_SMALL = 1e-6  # radians
_START_DEVIATION_CM = 0.15  # of keypoints, for the fit that the iterations start from
# Of each point: what the modes add, the point itself, and what rotations about the head's axes add.
_POINT = len(HEAD_MODES)
_BASIS = np.concatenate(
    [
        HEAD_MODES.transpose(2, 1, 0),
        MEAN_HEAD.T[:, :, None],
        np.cross(np.eye(3)[:, None], MEAN_HEAD).transpose(2, 1, 0),
    ],
    axis=2,
)  # (3, K, M + 4)
_COLUMNS = _BASIS.reshape(3, -1).copy()
_SHIFTS = np.tile(np.eye(2), (len(MEAN_HEAD), 1))  # (2K, 2)


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

    def moved(self, step: Sequence[float] | Array) -> HeadPose:
        """The pose after a small change `(6,)`, in the order of `HeadFit.covariance`."""
        x, y, z, larger, right, down = step
        rotation = _rotation(x, y, z) @ self.rotation
        return HeadPose(
            rotation, self.scale * math.exp(larger), self.shift + np.array([right, down])
        )


@dataclass(frozen=True, slots=True, eq=False)
class HeadFit:
    """The mean head fitted to the keypoints of a face.

    Attributes:
        pose: the head's pose.
        covariance: `(6, 6)` of a small rotation about the camera's axes in radians, of the
            logarithm of the scale, and of the shift in px.
        excess: by how much the residuals exceed those of 19 of 20 faces, as the square root of the
            ratio of chi²; 1 where they do not.
        residual: `(2K,)` px, the keypoints less the projected mean head.
        noise: `(2K,)` px², the variances of the keypoints themselves.
        camera: that the head was fitted for.
    """

    pose: HeadPose
    covariance: Array
    excess: float
    residual: Array
    noise: Array
    camera: Camera

    @property
    def projection(self) -> Projection:
        """The projection of the mean head at that pose."""
        return project(self.pose, self.camera)


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """The mean head as a camera sees it, and what changes it.

    Attributes:
        points: `(2K,)` px.
        by_pose: `(2K, 6)`, derivatives in the order of `HeadFit.covariance`.
        modes: `(2K, M + 1)` px, by which the modes of the shape, and last a standard deviation of
            the focal length, move the points.
        near: `(K,)` px per cm, the scale at each point.
        by_depth: `(K, 2)` px per cm, derivatives by each point's depth.
        rotation: `(3, 3)`, of the pose.
    """

    points: Array
    by_pose: Array
    modes: Array
    near: Array
    by_depth: Array
    rotation: Array

    @property
    def by_point(self) -> Array:
        """`(K, 2, 3)` px per cm, derivatives by each point's own coordinates."""
        by_camera = np.zeros((len(self.near), 2, 3))
        by_camera[:, 0, 0] = by_camera[:, 1, 1] = self.near
        by_camera[:, :, 2] = self.by_depth
        return np.asarray(by_camera @ self.rotation)


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
    if not math.isfinite(float(points.sum() + deviation.sum())):
        return None
    pose = _orthographic_fit(points)
    if pose is None:
        return None
    noise = np.repeat(np.maximum(deviation, MIN_DEVIATION_CM * pose.scale) ** 2, 2)
    flat = points.ravel()
    try:
        for _ in range(MAX_STEPS):
            linear = _linearise(flat, noise, camera, pose)
            pose, step = linear.move(pose, linear.residual)
            if _turn(step) <= NEAR_STEP:
                break
    except np.linalg.LinAlgError:
        return None
    residual = linear.residual
    for _ in range(MAX_STEPS):
        if _turn(step) <= LAST_STEP:
            break
        residual = flat - _seen(pose, camera)
        pose, step = linear.move(pose, residual)
    residual = residual - linear.by_pose @ step
    return HeadFit(pose, linear.covariance, linear.excess, residual, noise, camera)


@dataclass(frozen=True, slots=True, eq=False)
class _Linear:
    """The least squares of small changes of a pose.

    Attributes:
        gain: `(6, 2K)`, from residuals to the change of the pose that fits them best.
        covariance: `(6, 6)`, of that change.
        by_pose: `(2K, 6)`, derivatives of the points.
        residual: `(2K,)` px, the keypoints less the projected mean head.
        excess: as `HeadFit.excess`.
    """

    gain: Array
    covariance: Array
    by_pose: Array
    residual: Array
    excess: float

    def move(self, pose: HeadPose, residual: Array) -> tuple[HeadPose, list[float]]:
        """A step of Gauss and Newton: the next pose, and the change `(6,)`."""
        full = (self.gain @ residual).tolist()
        share = LONGEST_STEP / max(LONGEST_STEP, *map(abs, full[:4]))
        step = [share * value for value in full]
        return pose.moved(step), step


def _linearise(points: Array, noise: Array, camera: Camera, pose: HeadPose) -> _Linear:
    projection = project(pose, camera)
    residual = points - projection.points
    variance = projection.modes @ projection.modes.T
    variance.reshape(-1)[:: len(noise) + 1] += noise
    columns = np.column_stack([projection.by_pose, residual])
    weighted = np.linalg.solve(variance, columns)  # (2K, 7)
    products = columns.T @ weighted
    covariance = np.linalg.inv(products[:6, :6])
    gradient = products[:6, 6]
    chi_squared = float(products[6, 6] - gradient @ covariance @ gradient)
    excess = math.sqrt(max(1.0, chi_squared / USUAL_CHI_SQUARED))
    gain = covariance @ weighted[:, :6].T
    return _Linear(gain, covariance, projection.by_pose, residual, excess)


def _turn(step: list[float]) -> float:
    return max(map(abs, step[:3]))


def _seen(pose: HeadPose, camera: Camera) -> Array:
    """The points of `project` alone, `(2K,)` px."""
    head = MEAN_HEAD @ pose.rotation.T  # (K, 3)
    near = pose.scale / (1 + (pose.scale * camera.inverse_focal) * head[:, 2:])
    return np.asarray(head[:, :2] * near + pose.shift).ravel()


def project(pose: HeadPose, camera: Camera = NO_PERSPECTIVE) -> Projection:
    """Project the mean head.

    A point `(x, y, z)` of the rotated head, about its centroid at the distance d, is seen at
    `scale * (x, y) / (1 + z / d)` from the centroid's image, and `d = focal length / scale`.
    """
    turned = (pose.rotation @ _COLUMNS).reshape(_BASIS.shape)  # along the camera's axes
    depth = turned[2, :, _POINT]  # (K,) cm
    near = pose.scale / (1 + (pose.scale * camera.inverse_focal) * depth)  # px per cm
    moved = np.empty((len(near), 2, _BASIS.shape[2]))
    np.multiply(turned[:2].transpose(1, 0, 2), near[:, None, None], out=moved)
    seen = moved[:, :, _POINT].copy()  # (K, 2)
    by_depth = seen * (-camera.inverse_focal * near)[:, None]
    moved += by_depth[:, :, None] * turned[2][:, None]
    # The column of the points is free for the focal length.
    moved[:, :, _POINT] = seen * (-camera.deviation * near * depth)[:, None]
    columns = moved.reshape(2 * len(near), -1)
    by_pose = np.empty((len(columns), 6))
    by_pose[:, :3] = columns[:, _POINT + 1 :] @ pose.rotation.T  # about the camera's axes
    by_pose[:, 3] = (seen * (near / pose.scale)[:, None]).ravel()
    by_pose[:, 4:] = _SHIFTS
    points, modes = (seen + pose.shift).ravel(), columns[:, : _POINT + 1]
    return Projection(points, by_pose, modes, near, by_depth, pose.rotation)


def _orthographic_start() -> Array:
    """From keypoints `(2K,)`, their affine map `(6,)` of the mean head and its centroid `(2,)`.

    It is that of generalised least squares, for a head that looks straight ahead.
    """
    count = len(MEAN_HEAD)
    modes = project(HeadPose(np.eye(3), 1.0, np.zeros(2))).modes
    weights = np.linalg.inv(modes @ modes.T + _START_DEVIATION_CM**2 * np.eye(2 * count))
    columns = np.zeros((count, 2, 8))
    columns[:, 0, :3] = columns[:, 1, 3:6] = MEAN_HEAD
    columns[:, 0, 6] = columns[:, 1, 7] = 1
    design = columns.reshape(2 * count, 8)
    return np.asarray(np.linalg.solve(design.T @ weights @ design, design.T @ weights))


START = _orthographic_start()  # (8, 2K)
# The weighted sum of keypoints, as complex numbers, turns with the face, (K,).
_UPRIGHT = (MEAN_HEAD[:, 0] - 1j * MEAN_HEAD[:, 1]) / len(MEAN_HEAD)


def _orthographic_fit(points: Array) -> HeadPose | None:
    """The scaled orthographic projection nearest to an affine one; None where points coincide.

    The face is turned upright, as `START` is that of upright ones. The nearest orthogonal rows are
    those of the polar decomposition.
    """
    planar = np.ascontiguousarray(points).view(np.complex128)[:, 0]
    turn = complex(_UPRIGHT @ planar)
    if not abs(turn) > _FLAT * float(np.abs(planar).max()):
        return None
    turn /= abs(turn)  # of the face about the camera's axis
    upright = (planar * turn.conjugate()).view(np.float64)
    a, b, c, d, e, f, x, y = (START @ upright).tolist()
    first, second, both = a * a + b * b + c * c, d * d + e * e + f * f, a * d + b * e + c * f
    root = math.sqrt(max(first * second - both * both, 0.0))
    trace = first + second + 2 * root
    if not root > _FLAT * trace:
        return None
    # The inverse of the symmetric factor, up to the root of the trace.
    p, q, r = second + root, -both, first + root
    norm = math.sqrt(trace) * root
    p, q, r = (value / norm for value in (p, q, r))
    a, b, c, d, e, f = (
        p * a + q * d, p * b + q * e, p * c + q * f, q * a + r * d, q * b + r * e, q * c + r * f
    )  # fmt: skip
    cos, sin = turn.real, turn.imag
    rotation = np.array(
        [(cos * a - sin * d, cos * b - sin * e, cos * c - sin * f),
         (sin * a + cos * d, sin * b + cos * e, sin * c + cos * f),
         (b * f - c * e, c * d - a * f, a * e - b * d)]
    )  # fmt: skip
    shift = np.array([cos * x - sin * y, sin * x + cos * y])
    return HeadPose(rotation, math.sqrt((first + second) / 2), shift)


def _rotation(x: float, y: float, z: float) -> Array:
    """The rotation about a vector by its length in radians (Rodrigues, 1840)."""
    square = x * x + y * y + z * z
    angle = math.sqrt(square)
    sine = math.sin(angle) / angle if angle > _SMALL else 1.0
    versine = (1 - math.cos(angle)) / square if angle > _SMALL else 0.5
    cos = 1 - versine * square
    u, v, w = versine * x, versine * y, versine * z
    return np.array(
        [(cos + u * x, u * y - sine * z, u * z + sine * y),
         (u * y + sine * z, cos + v * y, v * z - sine * x),
         (u * z - sine * y, v * z + sine * x, cos + w * z)]
    )  # fmt: skip
