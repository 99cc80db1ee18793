"""Faces that lie or stand on their head, found by a detector of upright ones.

The image is searched rotated by 90°, 180° and 270°; a face is never more than 45° off upright in
one of the four.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.geometry.face_frame import BOX_DOWN, BOX_HEIGHT, BOX_WIDTH
from edge.image import Grey
from edge.networks.detections import Detections, Detector
from edge.networks.tiling import join

_QUARTERS = (1, 2, 3)


def detect_rotated(detector: Detector, grey: Grey, detect_size: int) -> Detections:
    """Find faces that are not upright.

    Args:
        detector: of faces that are rotated by up to 45°.
        grey: uint8 `(H, W)`.
        detect_size: as for the detector.

    Returns:
        Detections in px of `grey`, each with its roll in `grey`: the angle at which it was found,
        and the roll that the detector gives there, if it gives any.
    """
    found = []
    for quarters in _QUARTERS:
        detections = detector(np.ascontiguousarray(np.rot90(grey, quarters)), detect_size)
        boxes = _rotate_back(detections.boxes, quarters, grey.shape)
        rolls = np.zeros(len(boxes)) if detections.rolls is None else detections.rolls
        rolls = _wrap(rolls + 90.0 * quarters)
        found.append(Detections(boxes, detections.scores, rolls=rolls))
    return join(found)


def _wrap(angles_deg: NDArray[np.floating]) -> NDArray[np.float32]:
    """The same angles between −180° and 180°, the latter included."""
    return (180 - (180 - angles_deg) % 360).astype(np.float32)


def _rotate_back(
    boxes: NDArray[np.float32], quarters: int, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Boxes of an image that was rotated anticlockwise, upright about the same faces before it."""
    height, width = shape
    sides = boxes[:, 2:]
    # The centre of the square that the keypoint network sees; a box is not centred on it.
    down = BOX_DOWN * np.sqrt(sides[:, 0] * sides[:, 1] / (BOX_WIDTH * BOX_HEIGHT))
    x, y = (boxes[:, :2] + (sides - 1) / 2).T
    y = y - down
    centres = {
        1: (width - 1 - y, x),
        2: (width - 1 - x, height - 1 - y),
        3: (y, height - 1 - x),
    }
    x, y = centres[quarters]
    corners = np.stack([x, y + down], axis=1) - (sides - 1) / 2
    return np.concatenate([corners, sides], axis=1).astype(np.float32)
