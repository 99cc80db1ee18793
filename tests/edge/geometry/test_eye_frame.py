import numpy as np
import pytest

from edge.geometry.affine import transform
from edge.geometry.eye_frame import CORNERS, EYE_WIDTH, PATCH, eye_matrices, mirrored
from edge.geometry.face_frame import MEAN_FACE
from edge.geometry.similarity import similarity


def test_both_eyes_of_a_turned_face_lie_level_in_their_patches():
    pose = similarity(2.5, 30.0, (48, 48), (300, 200))
    matrices = eye_matrices(transform(pose, MEAN_FACE))
    for matrix, (outer, inner) in zip(matrices, CORNERS, strict=True):
        corners = transform(matrix, transform(pose, MEAN_FACE[[outer, inner]]))
        np.testing.assert_allclose(corners.mean(axis=0), (PATCH - 1) / 2, atol=1e-6)
        assert abs(corners[1, 0] - corners[0, 0]) == pytest.approx(EYE_WIDTH, rel=0.02)
    # The outer corner of the right eye is on the left, that of the left eye on the right.
    right, left = (
        transform(m, transform(pose, MEAN_FACE[[pair[0]]]))[0, 0]
        for m, pair in zip(matrices, CORNERS, strict=True)
    )
    assert right < PATCH / 2 < left


def test_points_that_coincide_have_no_eyes():
    assert eye_matrices(np.ones((15, 2))) is None


def test_mirrored_twice_is_the_same(rng):
    patches = rng.integers(0, 256, (3, PATCH, PATCH)).astype(np.uint8)
    assert mirrored(patches)[0, 5, 0] == patches[0, 5, -1]
    np.testing.assert_array_equal(mirrored(mirrored(patches)), patches)
