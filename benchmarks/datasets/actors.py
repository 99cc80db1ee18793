"""Faces for synthetic videos, cut from the sample photo, with ground-truth keypoints."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.sample import SAMPLE
from benchmarks.datasets.synthetic_videos import Actor
from edge.facekeypoints import FaceKeypoints
from edge.geometry.affine import Matrix, compose
from edge.geometry.face_frame import CROP
from edge.geometry.keypoint_frame import upright_matrix
from edge.geometry.similarity import similarity
from edge.image import Rgb, load_image, to_grey
from edge.refinement import refine

_PASSES = 64  # inference passes whose mean is taken as an actor's ground truth
_GAMMA = 0.6  # makes the second actor's photo brighter
_MAX_SHIFT = 0.04  # of the crop's side
_MAX_LOG_SCALE = 0.1
_MAX_ROLL_DEG = 10.0


def make_actors() -> list[Actor]:
    """The sample's face, and its mirror image under other lighting."""
    photo = load_image(SAMPLE)
    mirrored = (255 * (photo[:, ::-1] / 255.0) ** _GAMMA).astype(np.uint8)
    detect = FaceKeypoints(precision="fp32", max_faces=1)
    return [Actor(image, _true_keypoints(image, detect)) for image in (photo, mirrored)]


def _true_keypoints(image: Rgb, detect: FaceKeypoints) -> NDArray[np.float64]:
    """Keypoints `(15, 2)` px: the mean over many crops, as one prediction depends on its crop."""
    (face,) = detect(image)
    upright = upright_matrix(face.keypoints, CROP)
    if upright is None:
        raise ValueError("expected a face in the sample, found none")
    rng = np.random.default_rng(0)
    matrices = [_perturb(upright, rng) for _ in range(_PASSES)]
    passes = refine(detect.model, [to_grey(image)] * _PASSES, matrices, max_passes=1)
    return np.asarray(np.mean([face_pass.keypoints for face_pass in passes], axis=0), np.float64)


def _perturb(matrix: Matrix, rng: np.random.Generator) -> Matrix:
    """A crop's matrix, randomly shifted, scaled and rotated about the crop's centre."""
    centre = (CROP - 1) / 2
    x, y = centre + rng.uniform(-_MAX_SHIFT, _MAX_SHIFT, 2) * CROP
    scale = np.exp(rng.uniform(-_MAX_LOG_SCALE, _MAX_LOG_SCALE))
    angle = rng.uniform(-_MAX_ROLL_DEG, _MAX_ROLL_DEG)
    return compose(similarity(scale, angle, (centre, centre), (x, y)), matrix)
