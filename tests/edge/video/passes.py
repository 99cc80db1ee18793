"""What tests of tracking share: keypoints of a face at a place, and an inference pass with them."""

import numpy as np

from edge.geometry.affine import crop_matrix, transform
from edge.geometry.face_frame import MEAN_FACE
from edge.geometry.similarity import similarity
from edge.refinement import FacePass


def placed(x=200.0, y=150.0, scale=2.0, angle=0.0):
    """Keypoints of a face whose square is 96 · `scale` px wide."""
    return transform(similarity(scale, angle, (47.5, 47.5), (x, y)), MEAN_FACE)


def face_pass(points, crop=None):
    crop = np.zeros((96, 96), np.uint8) if crop is None else crop
    return FacePass(points, np.ones(15, np.float32), 1.0, crop, crop_matrix((0, 0, 96, 96), 96))
