"""Faces drawn as coloured spots, whose keypoints are known."""

import numpy as np

from edge.face import Face
from edge.geometry.affine import transform
from edge.geometry.face_frame import MEAN_FACE


def face_at(matrix):
    points = transform(matrix, MEAN_FACE).astype(np.float32)
    low, high = points.min(axis=0), points.max(axis=0)
    return Face(np.array([*low, *(high - low)], np.float32), 1.0, points, np.ones(15, np.float32))


def spotted(face, size=(300, 400), colour=(255, 0, 0)):
    """A grey image with a coloured spot at each keypoint."""
    image = np.full((*size, 3), 120, np.uint8)
    y, x = np.mgrid[: size[0], : size[1]]
    for point in face.keypoints:
        image[np.hypot(x - point[0], y - point[1]) < 4] = colour
    return image
