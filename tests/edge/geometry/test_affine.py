import numpy as np

from edge.geometry.affine import compose, crop_matrix, invert, transform
from edge.geometry.similarity import similarity
from edge.networks.whole_image import enclosing_square


def test_crop_of_a_96_px_picture_moves_nothing():
    matrix = crop_matrix(enclosing_square(96, 96), 96)
    np.testing.assert_allclose(matrix, [[1, 0, 0], [0, 1, 0]], atol=1e-12)


def test_halving_maps_pixel_centres_as_resizing_does():
    matrix = crop_matrix([0, 0, 192, 192], 96)
    # (x + 0.5) · s − 0.5
    np.testing.assert_allclose(transform(matrix, [[0, 0], [191, 191]]), [[-0.25] * 2, [95.25] * 2])


def test_picture_to_crop_and_back_is_exact(rng):
    points = rng.uniform(-500, 5000, size=(200, 2))
    turn = similarity(0.37, 33.0, (1200.5, 800.25), (47.5, 47.5))
    for matrix in (crop_matrix([812.5, 31.25, 333, 333], 96), turn):
        back = transform(invert(matrix), transform(matrix, points))
        np.testing.assert_allclose(back, points, atol=1e-9)


def test_compose_applies_the_first_first(rng):
    first, second = similarity(2, 30, (1, 2), (3, 4)), similarity(0.5, -70, (5, 6), (7, 8))
    points = rng.uniform(0, 100, size=(10, 2))
    both = transform(compose(second, first), points)
    np.testing.assert_allclose(both, transform(second, transform(first, points)), atol=1e-9)


def test_a_rotated_square_is_cut_about_its_centre():
    square, centre = [10.0, 20.0, 64.0, 64.0], np.array([41.5, 51.5])
    for roll in (0.0, 30.0, 180.0, -90.0):
        matrix = crop_matrix(square, 96, roll)
        np.testing.assert_allclose(transform(matrix, centre), [47.5, 47.5])
        np.testing.assert_allclose(np.linalg.det(matrix[:, :2]), 1.5**2)
        # What lies above the face's middle, as the face sees it, is above it in the crop.
        up = np.array([np.sin(np.radians(roll)), -np.cos(np.radians(roll))])
        np.testing.assert_allclose(transform(matrix, centre + 10 * up), [47.5, 32.5], atol=1e-9)
