import numpy as np

from edge.geometry.affine import crop_matrix
from edge.networks.whole_image import WholeImage, enclosing_square


def test_the_whole_image_is_one_box_in_its_enclosing_square():
    detector = WholeImage()
    detections = detector(np.zeros((50, 100), np.uint8), 320)
    np.testing.assert_array_equal(detections.boxes, [[0, 0, 100, 50]])
    np.testing.assert_array_equal(detections.squares, [[0, -25, 100, 100]])
    expected = [crop_matrix((0, -25, 100, 100), 96)]
    np.testing.assert_array_equal(detections.crop_matrices(96), expected)
    assert detections.scores is None
    assert not detector.finds_faces


def test_the_square_around_an_image_encloses_it():
    np.testing.assert_allclose(enclosing_square(50, 100), [0, -25, 100, 100])
