import numpy as np
import pytest

from edge.geometry.affine import crop_matrix, rotation_deg, scale_of, transform
from edge.geometry.face_frame import square_of_box
from edge.networks.detections import Detections

BOXES = np.array([[0, 0, 10, 12], [5, 5, 20, 24], [8, 1, 30, 36]], np.float32)
SCORES = np.array([0.2, 0.9, 0.5], np.float32)


def test_a_mask_and_indices_select_rows_of_all_fields():
    squares = np.arange(12, dtype=float).reshape(3, 4)
    detections = Detections(BOXES, SCORES, squares)
    masked = detections.take(np.array([True, False, True]))
    np.testing.assert_array_equal(masked.boxes, BOXES[[0, 2]])
    np.testing.assert_array_equal(masked.squares, squares[[0, 2]])
    ordered = detections.take(np.array([2, 0]))
    np.testing.assert_array_equal(ordered.scores, SCORES[[2, 0]])


def test_detections_above_a_score_include_it():
    assert Detections(BOXES, SCORES).above(0.5).scores.tolist() == SCORES[1:].tolist()


def test_without_scores_all_detections_are_above_any():
    detections = Detections(BOXES)
    assert detections.above(0.99) is detections
    assert detections.score_list() == [None, None, None]


def test_crops_follow_from_the_boxes_unless_squares_are_given():
    for matrix, box in zip(Detections(BOXES).crop_matrices(96), BOXES, strict=True):
        np.testing.assert_array_equal(matrix, crop_matrix(square_of_box(box), 96))


def test_crops_are_rotated_by_the_rolls_about_the_centres_of_their_squares():
    rolls = np.array([0, 90, -30], np.float32)
    for matrix, box, roll in zip(
        Detections(BOXES, rolls=rolls).crop_matrices(96), BOXES, rolls, strict=True
    ):
        x, y, side, _ = square_of_box(box)
        centre = (x + (side - 1) / 2, y + (side - 1) / 2)
        np.testing.assert_allclose(transform(matrix, centre), [47.5, 47.5], atol=1e-9)
        assert rotation_deg(matrix) == pytest.approx(-roll)
        assert scale_of(matrix) == pytest.approx(96 / side)
