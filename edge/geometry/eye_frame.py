"""The frame of an eye: the patch in which the eye network sees it.

Both eyes are shown as a right eye, its outer corner on the left: the patch of a left eye is
mirrored. Scale and rotation are the whole face's, which are less noisy than those of one eye.

Legend: E eyes of a face (2: right, left).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Matrix, matrix_from_complex, to_complex
from edge.geometry.face_frame import MEAN_FACE, fit_complex_mean_face
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


@dataclass(frozen=True, slots=True)
class EyeFrames:
    """The similarities from the image to the patches of both eyes, for positions `x + iy`.

    Attributes:
        factor: px of the patches per px of the image, and their rotation.
        right: offset of the right eye's patch.
        left: likewise of the left eye's, not mirrored.
    """

    factor: complex
    right: complex
    left: complex


def eye_frames(keypoints: NDArray[np.floating]) -> EyeFrames | None:
    """The frames of the eyes of a face.

    Args:
        keypoints: `(15, 2)` px of the image.

    Returns:
        None where the keypoints coincide.
    """
    points = to_complex(keypoints)
    fit = fit_complex_mean_face(points)
    if fit is None:
        return None
    factor = _SCALE / fit[0]
    positions, middle = points.tolist(), complex(PATCH - 1, PATCH - 1) / 2
    right, left = (
        middle - factor * (positions[outer] + positions[inner]) / 2 for outer, inner in CORNERS
    )
    return EyeFrames(factor, right, left)


def eye_matrices(keypoints: NDArray[np.floating]) -> tuple[Matrix, Matrix] | None:
    """As `eye_frames`: the matrices from the image to the patches of the right and the left eye.

    Returns:
        float64 `(2, 3)` each, not mirrored; None where the keypoints coincide.
    """
    frames = eye_frames(keypoints)
    if frames is None:
        return None
    right, left = (
        matrix_from_complex(frames.factor, offset) for offset in (frames.right, frames.left)
    )
    return right, left


def mirrored(patch: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The patch of a left eye as one of a right eye, and back."""
    return np.ascontiguousarray(patch[..., ::-1])
