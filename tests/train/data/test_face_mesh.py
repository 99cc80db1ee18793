import numpy as np
import pytest

from edge.geometry.affine import transform
from edge.geometry.face_frame import MEAN_FACE
from edge.geometry.similarity import similarity
from train.data.face_mesh import (
    DEPTH_SCALE,
    affine_matrices,
    border_points,
    mean_mesh,
    rotate_upright,
    rotation_about_axes,
    rotation_between,
    triangulate,
)
from train.data.labelled_faces import MARGIN, PADDED


def test_a_yaw_moves_near_points_one_way_and_far_points_the_other():
    rotation = rotation_about_axes(30.0, 0.0)
    np.testing.assert_allclose(rotation @ (0, 0, -10), (-5, 0, -10 * np.cos(np.pi / 6)))
    np.testing.assert_allclose(rotation @ (0, 0, 10), (5, 0, 10 * np.cos(np.pi / 6)))


def test_a_positive_pitch_moves_near_points_down():
    np.testing.assert_allclose(rotation_about_axes(0.0, 90.0) @ (0, 0, -1), (0, 1, 0), atol=1e-12)


def test_the_rotation_between_meshes_is_recovered(rng):
    mean = rng.normal(0, 20, (50, 3))
    rotation = rotation_about_axes(25.0, -10.0)
    mesh = (mean @ rotation.T + (5, 6, 7)) / (1, 1, DEPTH_SCALE)
    np.testing.assert_allclose(rotation_between(mean, mesh), rotation, atol=1e-9)


def test_faces_are_rotated_upright_about_the_centre_of_the_crop():
    centre = (PADDED - 1) / 2
    upright = MEAN_FACE + MARGIN
    rotated = transform(similarity(1.0, 30.0, (centre, centre), (centre, centre)), upright)
    keypoints = rotate_upright(rotated[None], rotated[None])[0]
    expected = rotate_upright(upright[None], upright[None])[0]
    np.testing.assert_allclose(keypoints, expected, atol=1e-6)
    np.testing.assert_allclose(expected, upright, atol=1.0)


def test_the_mean_mesh_has_scaled_depths(rng):
    mesh = rng.uniform(0, 100, (3, 20, 3))
    keypoints = np.tile(MEAN_FACE + MARGIN, (3, 1, 1))
    mean = mean_mesh(mesh, keypoints)
    np.testing.assert_allclose(mean[:, 2], mesh[..., 2].mean(axis=0) * DEPTH_SCALE)
    expected = rotate_upright(mesh[..., :2], keypoints).mean(axis=0)
    np.testing.assert_allclose(mean[:, :2], expected)


def test_border_points_are_on_the_sides_of_the_crop():
    points = border_points(7.0)
    assert points.shape == (16, 3)
    assert set(np.abs(points[:, :2] - (PADDED - 1) / 2).max(axis=1)) == {PADDED / 2}
    assert set(points[:, 2]) == {7.0}


def test_triangles_cover_the_square():
    points = np.array([[0, 0], [10, 0], [0, 10], [10, 10], [4, 5]], float)
    corners = points[triangulate(points)]
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    areas = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2
    assert len(corners) == 4
    assert areas.sum() == pytest.approx(100)


def test_affine_matrices_map_target_corners_to_source_corners(rng):
    target, source = rng.uniform(0, 50, (4, 3, 2)), rng.uniform(0, 50, (4, 3, 2))
    matrix = affine_matrices(target, source)
    moved = target @ matrix[:, :, :2].swapaxes(1, 2) + matrix[:, None, :, 2]
    np.testing.assert_allclose(moved, source, atol=1e-6)


def test_a_degenerate_triangle_has_a_finite_matrix():
    assert np.isfinite(affine_matrices(np.zeros((1, 3, 2)), np.ones((1, 3, 2)))).all()
