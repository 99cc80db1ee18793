import numpy as np
import pytest

from edge.geometry.camera import Camera


def test_an_unknown_focal_length_is_one_and_a_half_of_the_longer_side():
    camera = Camera.of_image(400, 600)
    assert camera.inverse_focal == pytest.approx(1 / 900)
    # Within two standard deviations of that are phones (0.7) and cameras that are far away.
    assert camera.inverse_focal + 2 * camera.deviation > 1 / (0.7 * 600)
    assert camera.inverse_focal - 2 * camera.deviation < 0


def test_a_known_focal_length_is_exact_and_has_the_image_centre():
    assert Camera.of_image(401, 301, 500.0) == Camera(1 / 500, 0.0, (200.0, 150.0))


def test_a_face_at_the_side_is_seen_as_if_the_camera_were_turned_to_it():
    focal, centre = 300.0, np.array([200.0, 150.0])
    face = np.array([[-3.0, -2.0, 1.0], [3.0, -2.0, 0.5], [0.0, 2.0, -1.0], [0.0, 2.0, -0.5]])
    angle = np.radians(35)
    aside = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    ahead = face + np.array([0, 0, 40])  # cm before the camera
    seen_ahead = focal * ahead[:, :2] / ahead[:, 2:]
    turned = ahead @ aside.T
    seen_aside = focal * turned[:, :2] / turned[:, 2:] + centre
    points, deviation = Camera(1 / focal, centre=tuple(centre)).facing(seen_aside, np.ones(4))
    # The camera looks at the mean of the rays, so the whole face is shifted a little.
    np.testing.assert_allclose(
        points - points.mean(axis=0), seen_ahead - seen_ahead.mean(axis=0), atol=0.1
    )
    assert np.abs(points.mean(axis=0)).max() < 1.0
    assert np.all((deviation > 0.6) & (deviation < 1))  # what is aside is enlarged


def test_without_a_centre_the_points_stay_where_they_are():
    points, deviation = np.arange(8.0).reshape(4, 2), np.ones(4)
    same, kept = Camera(1 / 300).facing(points, deviation)
    assert same is points
    assert kept is deviation
