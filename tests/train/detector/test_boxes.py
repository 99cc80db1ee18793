import numpy as np

from edge.geometry.box_conventions import from_wider_face, rescale_boxes
from edge.geometry.similarity import similarity
from tests.made_photos import boxed
from train.detector.boxes import from_hand_drawn, move_boxes, sizes_of


def test_boxes_are_scaled_with_their_pixels_and_swap_sides_at_a_right_angle():
    box = boxed((10, 20, 8, 12))
    scaled = move_boxes(box, similarity(2.0, 0.0, (-0.5, -0.5), (-0.5, -0.5)))
    np.testing.assert_allclose(scaled, [[20, 40, 16, 24]])
    # The centre (13.5, 25.5) becomes (100 − 25.5, 13.5).
    rotated = move_boxes(box, similarity(1.0, 90.0, (0.0, 0.0), (100.0, 0.0)))
    np.testing.assert_allclose(rotated, [[69, 10, 12, 8]], atol=1e-4)


def test_without_boxes_there_is_nothing_to_move():
    assert move_boxes(boxed(), similarity(1.0, 0.0, (0.0, 0.0), (0.0, 0.0))).shape == (0, 4)


def test_the_size_of_a_box_is_the_side_of_the_square_of_its_area():
    assert sizes_of(boxed((5, 5, 4, 9), (0, 0, 10, 10), (0, 0, -3, 2))).tolist() == [6, 10, 0]


def test_hand_drawn_and_detected_boxes_of_a_face_are_converted_to_the_same_box():
    drawn = boxed((100, 100, 50, 60))
    detected = rescale_boxes(drawn, width=0.957, height=1.11, down=-0.125)
    np.testing.assert_allclose(from_hand_drawn(drawn), from_wider_face(detected), atol=0.5)
