import numpy as np
import pytest

from edge.geometry.affine import rotation_deg, scale_of, to_complex, transform
from edge.geometry.similarity import fit_complex, fit_similarity, similarity


def test_a_rotation_of_90_degrees_is_clockwise_as_seen():
    matrix = similarity(2.0, 90.0, (0, 0), (10, 10))
    np.testing.assert_allclose(transform(matrix, [1, 0]), [10, 12], atol=1e-12)
    assert scale_of(matrix) == pytest.approx(2.0)


def test_the_fitted_similarity_of_exact_points_is_the_one_that_mapped_them(rng):
    matrix = similarity(0.7, -130.0, (3.0, 4.0), (200.0, 90.0))
    points = rng.uniform(0, 100, size=(6, 2))
    fitted = fit_similarity(points, transform(matrix, points))
    np.testing.assert_allclose(fitted, matrix, atol=1e-9)
    assert rotation_deg(fitted) == pytest.approx(-130)


def test_the_fit_of_inexact_points_has_the_least_squared_error(rng):
    points = rng.uniform(0, 100, size=(8, 2))
    target = transform(similarity(2.0, 20.0, (0, 0), (5, 6)), points) + rng.normal(0, 3, (8, 2))
    fitted = fit_similarity(points, target)

    def squared_error(matrix):
        return ((transform(matrix, points) - target) ** 2).sum()

    best = squared_error(fitted)
    for change in ((1.001, 0), (0.999, 0), (1, 0.05), (1, -0.05)):
        centre = tuple(transform(fitted, points.mean(axis=0)))
        nearby = similarity(
            scale_of(fitted) * change[0], rotation_deg(fitted) + change[1],
            tuple(points.mean(axis=0)), centre,
        )  # fmt: skip
        assert squared_error(nearby) > best


def test_points_that_coincide_have_no_similarity():
    same, spread = np.full((3, 2), 4.0), np.array([[0.0, 0], [1, 0], [0, 1]])
    assert fit_similarity(same, spread) is None
    assert fit_similarity(spread, same) is None
    assert fit_complex(to_complex(same), to_complex(spread)) is None
