import numpy as np
import pytest

from edge.geometry.frontal_view import frontal_view
from edge.geometry.head_fit import fit_head
from edge.geometry.head_shape import MEAN_HEAD
from tests.edge.geometry.test_head_pose import random_head, rotation, seen


@pytest.mark.parametrize("angles", [(0, 0, 0), (30, -45, 20)])
def test_the_mean_head_is_seen_from_the_front_at_its_own_scale(angles):
    points, _ = frontal_view(fit_head(seen(MEAN_HEAD, rotation(*angles), 8.0), np.full(15, 0.1)))
    np.testing.assert_allclose(points, 8.0 * MEAN_HEAD[:, :2], atol=0.02)


def test_what_is_seen_of_a_head_that_looks_at_the_camera_is_kept():
    head = random_head(np.random.default_rng(2))
    fit = fit_head(seen(head, np.eye(3), 8.0), np.full(15, 1.0))
    points, _ = frontal_view(fit)
    # Up to the fitted pose: seen from there again, the points are the keypoints.
    shown = seen(head, np.eye(3), 8.0)
    distances = np.linalg.norm(shown[:, None] - shown[None], axis=-1)
    found = np.linalg.norm(points[:, None] - points[None], axis=-1)
    assert np.abs(found - distances).max() < 0.12 * distances.max()


def test_half_of_the_distances_are_off_by_no_more_than_their_probable_error():
    rng = np.random.default_rng(4)
    pairs = [(0, 1), (2, 4), (11, 12), (10, 13)]
    apart = []
    for _ in range(300):
        head, noise = random_head(rng), 0.8
        angles = rng.uniform(-1, 1, 3) * (180, 45, 20)
        keypoints = seen(head, rotation(*angles), 8.0) + rng.normal(0, noise, (15, 2))
        points, covariance = frontal_view(fit_head(keypoints, np.full(15, noise)))
        for i, j in pairs:
            difference = points[i] - points[j]
            length = np.linalg.norm(difference)
            gradient = np.zeros((15, 2))
            gradient[i], gradient[j] = difference / length, -difference / length
            error = np.sqrt(gradient.ravel() @ covariance @ gradient.ravel())
            true = 8.0 * np.linalg.norm(head[i, :2] - head[j, :2])
            apart.append(abs(length - true) / error)
    within = (np.reshape(apart, (300, -1)) < 0.6745).mean(axis=0)
    np.testing.assert_allclose(within, 0.5, atol=0.09)
