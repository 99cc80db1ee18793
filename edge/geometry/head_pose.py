"""Head pose from the 15 keypoints.

A mean head is fitted to the keypoints by the scaled orthographic projection of least squares
(DeMenthon and Davis, 1995, without the iteration for perspective): accurate for faces that are not
close to the camera, at poses in which all 15 points are visible.

Legend: … leading axes, K keypoints (15).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# The mean head in the keypoints' order: x to the subject's left, y down, z away from the viewer, in
# outer-canthal widths from the midpoint of the outer eye corners. By factorisation (Tomasi and
# Kanade, 1992) of the 13,629 training faces and their mirror images, the 27 % that fit worst left
# out, and made symmetric; pose 0 is their mean pose.
MEAN_HEAD = np.array(
    [[0.357, -0.014, -0.027], [-0.357, -0.014, -0.027], [0.227, 0.0, -0.048], [0.5, 0.0, 0.0],
     [-0.227, 0.0, -0.048], [-0.5, 0.0, 0.0], [0.161, -0.152, -0.139], [0.623, -0.145, 0.015],
     [-0.161, -0.152, -0.139], [-0.623, -0.145, 0.015], [0.0, 0.373, -0.28],
     [0.294, 0.714, -0.034], [-0.294, 0.714, -0.034], [0.0, 0.655, -0.154], [0.0, 0.822, -0.117]]
)  # fmt: skip
_CENTRED = MEAN_HEAD - MEAN_HEAD.mean(axis=0)
_FIT = np.linalg.pinv(_CENTRED)  # (3, K)


def head_pose(keypoints: NDArray[np.floating]) -> NDArray[np.float64]:
    """Estimate head pose.

    Args:
        keypoints: `(…, 15, 2)` px.

    Returns:
        float64 `(…, 3)`, degrees: roll, clockwise as seen, of the head's own horizontal axis; then
        yaw, towards the right of the image, and pitch, upwards, with roll removed. Yaw and pitch
        lie within ±90; beyond about 50 the far side is occluded and they are unreliable. 0 is the
        mean pose of people in photos.
    """
    points = np.asarray(keypoints, dtype=np.float64)
    centred = points - points.mean(axis=-2, keepdims=True)
    projection = np.swapaxes(_FIT @ centred, -1, -2)  # (…, 2, 3)
    left, _, axes = np.linalg.svd(projection, full_matrices=False)
    rows = left @ axes  # the nearest two orthogonal unit rows
    roll = np.arctan2(rows[..., 1, 0], rows[..., 0, 0])
    # The viewing direction, the head's own −z, in the image: right, down, away.
    right, down = -rows[..., 0, 2], -rows[..., 1, 2]
    away = -np.cross(rows[..., 0, :], rows[..., 1, :])[..., 2]
    across = np.cos(roll) * right + np.sin(roll) * down
    along = np.cos(roll) * down - np.sin(roll) * right
    yaw = np.arctan2(across, -away)
    pitch = np.arcsin(np.clip(-along, -1, 1))
    return np.asarray(np.degrees(np.stack([roll, yaw, pitch], axis=-1)))
