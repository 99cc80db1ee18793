"""The frame of an eye: the patch in which the eye network sees it.

Both eyes are shown as a right eye, its outer corner on the left: the patch of a left eye is
mirrored. Scale and rotation are the whole face's, which are less noisy than those of one eye.

Legend: E eyes of a face (2: right, left).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Matrix, invert
from edge.geometry.face_frame import MEAN_FACE, fit_mean_face
from edge.keypoints import KEYPOINT_NAMES

PATCH = 32  # px, side of a patch
# Of an eye of the mean face, between its corners, px of the patch: half of it is left for lids that
# are open wide, and for keypoints that are off.
EYE_WIDTH = 18.0

# Right and left eye: rows of the outer and the inner corner.
CORNERS = tuple(
    tuple(KEYPOINT_NAMES.index(f"{side}_eye_{corner}_corner") for corner in ("outer", "inner"))
    for side in ("right", "left")
)
_MEAN_WIDTH = float(np.ptp(MEAN_FACE[list(CORNERS[0]), 0]))
_SCALE = EYE_WIDTH / _MEAN_WIDTH  # px of the patch per px of the mean face


def eye_matrices(keypoints: NDArray[np.floating]) -> tuple[Matrix, Matrix] | None:
    """The matrices from the image to the patches of the right and the left eye.

    Args:
        keypoints: `(15, 2)` px of the image.

    Returns:
        float64 `(2, 3)` each, not mirrored; None where the keypoints coincide.
    """
    pose = fit_mean_face(keypoints)
    if pose is None:
        return None
    turn = _SCALE * invert(pose)[:, :2]
    right, left = (
        np.column_stack([turn, (PATCH - 1) / 2 - turn @ keypoints[list(pair)].mean(axis=0)])
        for pair in CORNERS
    )
    return right, left


def mirrored(patch: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The patch of a left eye as one of a right eye, and back."""
    return np.ascontiguousarray(patch[..., ::-1])
