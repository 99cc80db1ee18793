import numpy as np
import pytest

from edge.geometry.box_conventions import from_wider_face, rescale_boxes


def test_sides_are_multiplied_about_the_centre_and_the_box_moves_down():
    boxes = np.array([[10, 20, 40, 80]], np.float32)
    found = rescale_boxes(boxes, width=0.5, height=1.5, down=0.25)
    np.testing.assert_allclose(found, [[20, 20, 20, 120]])
    assert found.dtype == np.float32


def test_boxes_of_wider_face_become_ours():
    found = from_wider_face(np.array([[0, 0, 100, 100]], np.float32))
    np.testing.assert_allclose(found, [[-1, 8.1, 102, 95]], atol=1e-4)


def test_rows_that_hold_more_than_boxes_are_refused():
    with pytest.raises(ValueError, match=r"received the shape \(2, 15\)"):
        from_wider_face(np.ones((2, 15), np.float32))
