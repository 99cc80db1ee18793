"""Aligned face crops, in the template that recognition networks are trained on."""

from __future__ import annotations

import numpy as np

from edge.crop import cut
from edge.errors import ImageError
from edge.face import Face
from edge.formats.arrays import check_rgb
from edge.geometry.affine import Matrix
from edge.geometry.similarity import fit_similarity
from edge.image import Rgb
from edge.keypoints import KEYPOINT_NAMES

# The template of ArcFace (Deng et al., 2019) and its successors, px of a 112×112 crop.
_TEMPLATE = {
    "right_eye_center": (38.2946, 51.6963),
    "left_eye_center": (73.5318, 51.5014),
    "nose_tip": (56.0252, 71.7366),
    "mouth_right_corner": (41.5493, 92.3655),
    "mouth_left_corner": (70.7299, 92.2041),
}
_TEMPLATE_SIDE = 112
_MAX_SIZE = 8192  # px; a larger crop takes gigabytes
_INDICES = [KEYPOINT_NAMES.index(name) for name in _TEMPLATE]


def align(image: Rgb, face: Face, size: int = 112) -> Rgb:
    """Crop a face, aligned as recognition networks expect.

    The eye centres, nose tip and mouth corners are fitted to the five points of the 112×112 px
    template of ArcFace and its successors, by the similarity of least squares (Umeyama, 1991).

    Args:
        image: uint8 `(H, W, 3)`, RGB, the image the face was found in.
        face: with keypoints in Kaggle's scheme.
        size: side of the crop, px; the template is scaled with it.

    Returns:
        uint8 `(size, size, 3)`, RGB; outside the image its border is replicated.

    Raises:
        ImageError: the face's keypoints coincide, or the image has another shape or dtype.
        ValueError: the size is no whole number between 1 and 8192.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1 px, received {size}")
    if size > _MAX_SIZE or size != int(size):
        raise ValueError(f"size must be a whole number up to {_MAX_SIZE} px, received {size}")
    size = int(size)
    image = check_rgb(image)
    matrix = alignment_matrix(face, size)
    if matrix is None:
        raise ImageError("cannot align this face: its keypoints coincide")
    planes = [cut(np.ascontiguousarray(image[..., c]), matrix, size) for c in range(3)]
    return np.stack(planes, axis=-1)


def alignment_matrix(face: Face, size: int) -> Matrix | None:
    """The matrix from the image to the aligned crop; None where the keypoints coincide."""
    # Both frames have pixel centres at integers, so edges are scaled, not centres.
    template = (np.array(list(_TEMPLATE.values())) + 0.5) * (size / _TEMPLATE_SIDE) - 0.5
    return fit_similarity(face.keypoints[_INDICES], template)
