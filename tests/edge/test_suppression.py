import numpy as np

from edge.face import Face
from edge.networks.detections import Detections
from edge.suppression import are_suppressed, first_candidates, without_duplicates

LARGE, INNER, APART = (0, 0, 100, 100), (10, 10, 50, 50), (300, 0, 60, 60)


def face(box, score):
    return Face(np.array(box, np.float32), score, np.zeros((15, 2)), np.zeros(15))


def kept(*faces):
    return [(tuple(face.box.tolist()), face.score) for face in without_duplicates(list(faces))]


def test_of_duplicates_the_highest_score_is_kept_and_the_largest_face_comes_first():
    found = kept(face(APART, 0.9), face(LARGE, 0.6), face(INNER, 0.7))
    assert found == [(APART, 0.9), (INNER, 0.7)]


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
