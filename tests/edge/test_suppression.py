import numpy as np

from edge.face import Face
from edge.geometry.face_frame import MEAN_FACE
from edge.networks.detections import Detections
from edge.suppression import are_suppressed, first_candidates, without_duplicates

LARGE, INNER, APART = (0, 0, 100, 100), (10, 10, 50, 50), (300, 0, 60, 60)


def face(box, score, keypoints=None):
    """A face whose keypoints lie in its box, or where another has them."""
    box = np.array(box, np.float32)
    if keypoints is None:
        keypoints = box[:2] + MEAN_FACE / 96 * box[2:]
    return Face(box, score, keypoints, np.zeros(15))


def kept(*faces):
    return [(tuple(face.box.tolist()), face.score) for face in without_duplicates(list(faces))]


def test_of_duplicates_the_highest_score_is_kept_and_the_largest_face_comes_first():
    found = kept(face(APART, 0.9), face(LARGE, 0.6), face(INNER, 0.7))
    assert found == [(APART, 0.9), (INNER, 0.7)]


def test_a_face_before_a_larger_one_is_another_face_where_both_are_certain():
    before = (60, 70, 25, 30)
    assert kept(face(LARGE, 0.8), face(before, 0.95)) == [(LARGE, 0.8), (before, 0.95)]
    # A part of the face, or an object that resembles one: the better one is kept.
    assert kept(face(LARGE, 0.8), face(before, 0.84)) == [(before, 0.84)]
    assert kept(face(LARGE, 0.7), face(before, 0.95)) == [(before, 0.95)]


def test_nose_and_mouth_of_a_face_are_no_face_however_certain():
    # 55 % of its width, the face's nose where this one has its eyes.
    assert kept(face(LARGE, 0.95), face((22, 45, 55, 55), 0.93)) == [(LARGE, 0.95)]


def test_faces_side_by_side_are_two_where_their_keypoints_lie_apart():
    other = (45, 30, 100, 100)
    assert len(kept(face(LARGE, 0.95), face((-40, -20, 100, 100), 0.94))) == 2  # IoMin 0.48
    apart = face(other, 0.94, face((150, 30, 100, 100), 1).keypoints)
    near = face((20, 0, 100, 100), 0.94)
    assert len(kept(face(LARGE, 0.95), apart)) == 2
    assert len(kept(face(LARGE, 0.95), near)) == 1


def test_boxes_with_the_same_keypoints_are_one_face_however_little_they_overlap():
    first, aside = face(LARGE, 0.95), (60, 60, 100, 100)
    assert kept(first, face(aside, 0.94, first.keypoints)) == [(LARGE, 0.95)]
    assert len(kept(first, face(APART, 0.94, first.keypoints))) == 2  # they do not touch


def test_boxes_that_share_half_of_the_smaller_are_no_duplicates_yet():
    first, half, more = (0, 0, 100, 100), (50, 0, 100, 100), (49, 0, 100, 100)
    assert len(kept(face(first, 0.9), face(half, 0.8))) == 2
    assert len(kept(face(first, 0.9), face(more, 0.8))) == 1


def test_a_duplicate_of_less_than_half_the_score_is_suppressed_before_it_is_run():
    boxes = np.array([LARGE, INNER, APART], np.float32)
    mask = are_suppressed(Detections(boxes, np.array([0.9, 0.44, 0.1], np.float32)))
    assert mask.tolist() == [False, True, False]
    mask = are_suppressed(Detections(boxes, np.array([0.9, 0.46, 0.1], np.float32)))
    assert mask.tolist() == [False, False, False]
    assert are_suppressed(Detections(boxes)).tolist() == [False, False, False]


def test_the_first_candidates_are_the_largest_and_their_duplicates():
    boxes = np.array([LARGE, APART, INNER], np.float32)
    assert first_candidates(boxes, 1).tolist() == [True, False, True]
    assert first_candidates(boxes, 2).tolist() == [True, True, True]
