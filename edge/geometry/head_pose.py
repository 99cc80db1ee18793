"""Head pose from the 15 keypoints: roll, yaw and pitch, and their errors.

Legend: … leading axes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.geometry.camera import NO_PERSPECTIVE, Camera
from edge.geometry.face_frame import eye_span
from edge.geometry.head_fit import HeadFit, fit_head

# Of the embedded network's keypoints, in parts of the distance between the outer eye corners: for
# keypoints that come without errors of their own.
TYPICAL_DEVIATION = 0.016


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
    rotation = fit.pose.rotation
    roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    # The viewing direction, the head's own −z, in the image: right, down, away.
    right, down, away = -rotation[:, 2]
    across = np.cos(roll) * right + np.sin(roll) * down
    along = np.cos(roll) * down - np.sin(roll) * right
    yaw = np.arctan2(across, -away)
    pitch = np.arcsin(np.clip(-along, -1, 1))
    return np.asarray(np.degrees([roll, yaw, pitch]))


def deviations_deg(fit: HeadFit) -> NDArray[np.float64]:
    """The standard deviations of roll, yaw and pitch, `(3,)` degrees."""
    roll, yaw, _ = np.radians(angles_deg(fit))
    # Each angle turns the head about one axis: roll about the camera's, yaw about the rolled head's
    # vertical, pitch about the turned head's horizontal one; the last two towards negative angles.
    upright = np.array([-np.sin(roll), np.cos(roll), 0.0])
    across = np.array([np.cos(roll) * np.cos(yaw), np.sin(roll) * np.cos(yaw), np.sin(yaw)])
    axes = np.column_stack([[0.0, 0.0, 1.0], -upright, -across])
    by_rotation = np.linalg.pinv(axes)
    covariance = by_rotation @ fit.covariance[:3, :3] @ by_rotation.T
    return np.asarray(np.degrees(fit.excess * np.sqrt(np.diag(covariance))))
