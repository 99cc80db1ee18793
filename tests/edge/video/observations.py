"""What tests of tracking share: keypoints of a face at a place, and an observation of them."""

import numpy as np

from edge.geometry.affine import to_complex, transform
from edge.geometry.face_frame import MEAN_FACE
from edge.geometry.similarity import similarity
from edge.refinement import FacePass


def placed(x=200.0, y=150.0, scale=2.0, angle=0.0):
    """Keypoints of a face whose square is 96 · `scale` px wide."""
    return transform(similarity(scale, angle, (47.5, 47.5), (x, y)), MEAN_FACE)


def observed(points, crop=None):
    """A face of these keypoints `(15, 2)`, whose crop is the image's first 96×96 px."""
    crop = np.zeros((96, 96), np.uint8) if crop is None else crop
    return FacePass(to_complex(points), np.ones(15, np.float32), 1.0, crop, (1 + 0j, 0j))
