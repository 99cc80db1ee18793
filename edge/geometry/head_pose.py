"""Head pose from the 15 keypoints: roll, yaw and pitch, and their errors.

Legend: … leading axes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge.geometry.camera import NO_PERSPECTIVE, Camera
from edge.geometry.face_frame import eye_span
from edge.geometry.head_fit import HeadFit, fit_head

# Of the embedded network's keypoints, in parts of the distance between the outer eye corners: for
# keypoints that come without errors of their own.
TYPICAL_DEVIATION = 0.016
_LEAST_COSINE = 1e-6


def head_pose(
    keypoints: NDArray[np.floating], camera: Camera = NO_PERSPECTIVE
) -> NDArray[np.float64]:
    """Estimate head pose.

    Args:
        keypoints: `(…, 15, 2)` px.
        camera: of the image; without one, faces are taken to be far from it.

    Returns:
        float64 `(…, 3)`, degrees: roll, clockwise as seen, of the head's own horizontal axis; then
        yaw, towards the right of the image, and pitch, upwards, with roll removed. Yaw and pitch
        lie within ±90; beyond about 60 the far side is occluded and they are unreliable. 0 is a
        head that looks straight at the camera. NaN where the keypoints span no face.
    """
    points = np.asarray(keypoints, dtype=np.float64)
    faces = points.reshape(-1, *points.shape[-2:])
    deviation = TYPICAL_DEVIATION * eye_span(faces)[:, None].repeat(faces.shape[1], axis=1)
    fits = [fit_head(*face, camera) for face in zip(faces, deviation, strict=True)]
    angles = [np.full(3, np.nan) if fit is None else angles_deg(fit) for fit in fits]
    return np.array(angles, np.float64).reshape(*points.shape[:-2], 3)


def angles_deg(fit: HeadFit) -> NDArray[np.float64]:
    """Roll, yaw and pitch of a fitted head, `(3,)` degrees, as `head_pose` returns them."""
    return np.degrees(_angles(fit))


def deviations_deg(fit: HeadFit) -> NDArray[np.float64]:
    """The standard deviations of roll, yaw and pitch, `(3,)` degrees."""
    return np.array([math.degrees(value) for value in _deviations(fit, *_angles(fit)[:2])])


def yaw_and_pitch_deg(fit: HeadFit) -> tuple[tuple[float, float], tuple[float, float]]:
    """Yaw and pitch of a fitted head, and the standard deviations of both, degrees."""
    roll, yaw, pitch = _angles(fit)
    _, yaw_deviation, pitch_deviation = _deviations(fit, roll, yaw)
    return (
        (math.degrees(yaw), math.degrees(pitch)),
        (math.degrees(yaw_deviation), math.degrees(pitch_deviation)),
    )


# In plain Python, as numpy takes several times as long for a few numbers.
def _angles(fit: HeadFit) -> tuple[float, float, float]:
    """Roll, yaw and pitch, radians."""
    (a, _, x), (b, _, y), (_, _, z) = fit.pose.rotation.tolist()
    roll = math.atan2(b, a)
    # The viewing direction, the head's own −z, in the image: right, down, away.
    across = -math.cos(roll) * x - math.sin(roll) * y
    along = math.sin(roll) * x - math.cos(roll) * y
    return roll, math.atan2(across, z), math.asin(min(max(-along, -1.0), 1.0))


def _deviations(fit: HeadFit, roll: float, yaw: float) -> list[float]:
    """The standard deviations of roll, yaw and pitch, radians.

    Each angle turns the head about one axis: roll about the camera's, yaw about the rolled head's
    vertical, pitch about the turned head's horizontal one; the last two towards negative angles.
    """
    cos, sin = math.cos(roll), math.sin(roll)
    # At 90° the axes of roll and pitch are one.
    foreshortened = max(math.cos(yaw), _LEAST_COSINE)
    tangent = math.sin(yaw) / foreshortened
    # The rows of the inverse of the matrix of these axes.
    rows = [
        (-cos * tangent, -sin * tangent, 1.0),
        (sin, -cos, 0.0),
        (-cos / foreshortened, -sin / foreshortened, 0.0),
    ]
    (a, b, c), (_, d, e), (_, _, f) = fit.covariance[:3, :3].tolist()
    variances = (
        x * (a * x + 2 * b * y + 2 * c * z) + y * (d * y + 2 * e * z) + f * z * z
        for x, y, z in rows
    )
    return [fit.excess * math.sqrt(max(variance, 0.0)) for variance in variances]
