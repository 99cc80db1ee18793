import numpy as np
import pytest

from edge.geometry.affine import crop_matrix, transform
from edge.geometry.face_frame import (
    MEAN_FACE,
    box_of_square,
    fit_mean_face,
    roll_deg,
    square_of_box,
)
from edge.geometry.keypoint_frame import face_square, upright_matrix
from edge.geometry.similarity import similarity


@pytest.fixture(params=[0.0, 20.0, -75.0])
def placed(request):
    """The mean face, scaled by 3, turned and moved, and the matrix that did it."""
    matrix = similarity(3.0, request.param, (47.5, 47.5), (400.0, 250.0))
    return transform(matrix, MEAN_FACE), matrix, request.param


def test_the_mean_face_is_laid_over_a_face(placed):
    points, matrix, angle = placed
    np.testing.assert_allclose(fit_mean_face(points), matrix, atol=1e-9)
    assert roll_deg(points) == pytest.approx(angle)


def test_a_face_is_framed_as_the_mean_face_is_in_its_crop(placed):
    points, _, _ = placed
    square = face_square(points)
    assert square[2:] == pytest.approx([288, 288])
    middle = transform(crop_matrix(square, 96), [[400.0, 250.0]])
    np.testing.assert_allclose(middle, [[47.5, 47.5]], atol=1e-9)


@pytest.mark.parametrize("size", [96, 192])
def test_the_upright_crop_shows_the_mean_face(placed, size):
    points, _, _ = placed
    scale = size / 96
    expected = (MEAN_FACE + 0.5) * scale - 0.5
    np.testing.assert_allclose(transform(upright_matrix(points, size), points), expected, atol=1e-9)


def test_missing_points_do_not_move_the_frame(placed):
    points, _, _ = placed
    whole = face_square(points)
    points[3:9] = np.nan
    np.testing.assert_allclose(face_square(points), whole, atol=1e-9)


def test_two_points_are_too_few():
    points = np.full((15, 2), np.nan)
    points[:2] = MEAN_FACE[:2]
    assert fit_mean_face(points) is None
    assert face_square(points) is None
    assert upright_matrix(points, 96) is None
    assert np.isnan(roll_deg(points))


def test_points_in_one_place_frame_nothing():
    assert face_square(np.full((15, 2), 5.0)) is None


def test_a_box_and_the_square_around_it_undo_each_other():
    square = np.array([10.0, 20.0, 100.0, 100.0])
    box = box_of_square(square)
    np.testing.assert_allclose(box, [18, 23, 84, 106])
    np.testing.assert_allclose(square_of_box(box), square)
    wide = square_of_box([10, 20, 40, 20])
    assert wide[0] + wide[2] / 2 == 30
    np.testing.assert_allclose(wide[1] + wide[3] / 2, 30 - 0.06 * wide[3])
