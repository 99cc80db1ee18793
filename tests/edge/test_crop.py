import numpy as np
import pytest

from edge.crop import _window, cut, cut_face
from edge.geometry.affine import crop_matrix, transform
from edge.geometry.similarity import similarity
from edge.networks.whole_image import enclosing_square


def blob(shape, centre, radius):
    """A bright Gaussian spot on black, float64, its peak at `centre` (x, y)."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return 250 * np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * radius**2))


def peak(image):
    """Centre of mass (x, y) of an image; faint pixels, where rounding matters, left out."""
    weights = np.maximum(image.astype(np.float64) - 25, 0)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(weights * x).sum(), (weights * y).sum()]) / weights.sum()


def test_cutting_a_96_px_picture_whole_changes_no_pixel(rng):
    picture = rng.integers(0, 256, size=(96, 96)).astype(np.uint8)
    np.testing.assert_array_equal(cut(picture, crop_matrix([0, 0, 96, 96], 96), 96), picture)


def test_an_inner_square_of_the_same_scale_is_a_slice(rng):
    picture = rng.integers(0, 256, size=(200, 300)).astype(np.uint8)
    crop = cut(picture, crop_matrix([40, 30, 96, 96], 96), 96)
    np.testing.assert_array_equal(crop, picture[30:126, 40:136])


def test_halving_averages_the_pixels_it_covers():
    picture = np.tile(np.array([0, 200], np.uint8), (192, 96))
    crop = cut(picture, crop_matrix([0, 0, 192, 192], 96), 96)
    assert abs(crop[10:-10, 10:-10].astype(int) - 100).max() <= 1


@pytest.mark.parametrize("crop", [cut, cut_face])
@pytest.mark.parametrize("side", [40, 96, 150.5, 500])
@pytest.mark.parametrize("angle", [0, 10, 45, -120, 180])
def test_a_spot_lands_where_the_matrix_says(crop, side, angle):
    picture = np.rint(blob((700, 800), (401.3, 350.8), side / 12)).astype(np.uint8)
    matrix = similarity(96 / side, angle, (401.3 - side / 9, 350.8), (47.5, 47.5))
    expected = transform(matrix, [401.3, 350.8])
    np.testing.assert_allclose(peak(crop(picture, matrix, 96)), expected, atol=0.06)


def test_outside_the_picture_its_border_is_repeated():
    picture = np.full((50, 50), 80, np.uint8)
    picture[:, -1] = 200
    crop = cut(picture, crop_matrix([30, -20, 96, 96], 96), 96)
    assert (crop[:, 25:] == 200).all()
    assert (crop[:, :15] == 80).all()


def test_a_very_long_picture_is_cut_without_reading_its_whole_square():
    picture = np.full((40, 40_000), 90, np.uint8)
    picture[:, 20_000:] = 210
    crop = cut(picture, crop_matrix(enclosing_square(40, 40_000), 96), 96)
    assert (crop[:, :46] == 90).all()
    assert (crop[:, 50:] == 210).all()


@pytest.mark.parametrize("angle", [0.5, 30, 135, 180])
@pytest.mark.parametrize("scale", [0.13, 0.4, 1.0, 3.0])
def test_a_face_is_cut_as_anything_else_but_for_the_filter(angle, scale):
    picture = np.rint(blob((300, 400), (190.2, 140.7), 40 / scale)).astype(np.uint8)
    matrix = similarity(scale, angle, (200.0, 150.0), (47.5, 47.5))
    difference = cut(picture, matrix, 96).astype(int) - cut_face(picture, matrix, 96)
    assert abs(difference).max() <= 2


@pytest.mark.parametrize("angle", [20, 90, -135])
def test_a_rotated_face_beside_the_picture_repeats_its_border(angle):
    picture = np.full((50, 50), 80, np.uint8)
    picture[:, -1] = 200
    matrix = similarity(0.4, angle, (400.0, 25.0), (47.5, 47.5))
    assert (cut_face(picture, matrix, 96) == 200).all()


def test_a_rotated_face_in_a_very_long_picture_is_cut():
    picture = np.full((40, 40_000), 90, np.uint8)
    matrix = similarity(96 / 40_000, 10.0, (20_000.0, 20.0), (47.5, 47.5))
    assert (cut_face(picture, matrix, 96) == 90).all()


def test_a_one_pixel_picture_fills_the_crop():
    crop = cut(np.array([[77]], np.uint8), crop_matrix([0, 0, 1, 1], 96), 96)
    assert crop.shape == (96, 96)
    assert (crop == 77).all()


def test_a_window_repeats_the_border_wherever_it_lies():
    rng = np.random.default_rng(0)
    for _ in range(2000):
        grey = rng.integers(0, 256, rng.integers(1, 9, 2)).astype(np.uint8)
        low = rng.integers(-12, 14, 2)
        high = low + rng.integers(1, 20, 2)
        rows, columns = (
            np.clip(np.arange(low[i], high[i]), 0, grey.shape[1 - i] - 1) for i in (1, 0)
        )
        window = _window(grey, tuple(low.tolist()), tuple(high.tolist()))
        np.testing.assert_array_equal(window, grey[np.ix_(rows, columns)])
