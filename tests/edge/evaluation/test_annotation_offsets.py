import numpy as np

from edge.evaluation.annotation_offsets import add_offsets, measure_offsets
from edge.geometry.affine import transform
from edge.geometry.face_frame import MEAN_FACE
from edge.geometry.similarity import similarity
from edge.keypoints import KEYPOINT_NAMES

NOSE = KEYPOINT_NAMES.index("nose_tip")
OFFSETS = np.zeros((15, 2))
OFFSETS[NOSE] = 0.1, 0.2


def placed(angle):
    return transform(similarity(2.0, angle, (0, 0), (50, 60)), MEAN_FACE)[None]


def test_an_offset_follows_scale_and_turn():
    span = np.linalg.norm(placed(0)[0, 3] - placed(0)[0, 5])
    moved = add_offsets(placed(0), OFFSETS) - placed(0)
    eye_line = np.arctan2(*(MEAN_FACE[3] - MEAN_FACE[5])[::-1])  # the mean face's own slight tilt
    c, s = np.cos(eye_line), np.sin(eye_line)
    expected = span * np.array([0.1 * c - 0.2 * s, 0.1 * s + 0.2 * c])
    np.testing.assert_allclose(moved[0, NOSE], expected, atol=1e-3)
    quarter = add_offsets(placed(90), OFFSETS) - placed(90)
    np.testing.assert_allclose(quarter[0, NOSE], [-expected[1], expected[0]], atol=1e-3)


def test_what_was_added_is_measured(rng):
    faces = np.concatenate([placed(a) for a in (0, 30, -50)]) + rng.normal(0, 1, size=(3, 15, 2))
    offsets = rng.normal(0, 0.05, size=(15, 2))
    np.testing.assert_allclose(
        measure_offsets(faces, add_offsets(faces, offsets)), offsets, atol=1e-6
    )


def test_a_point_that_is_never_labelled_has_no_offset():
    others = placed(0).copy()
    others[:, NOSE] = np.nan
    np.testing.assert_allclose(measure_offsets(placed(0), others), 0, atol=1e-9)


def test_medians_do_not_mind_a_wrong_label():
    faces = placed(0).repeat(9, axis=0)
    others = add_offsets(faces, OFFSETS)
    others[0, NOSE] += 500
    np.testing.assert_allclose(
        measure_offsets(faces, others, robust=True)[NOSE], OFFSETS[NOSE], atol=1e-4
    )
