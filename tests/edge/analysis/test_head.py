import numpy as np
import pytest

from edge.analysis.head import FACING_DEG, measure_head
from edge.face import Face
from edge.geometry.camera import NO_PERSPECTIVE, Camera
from edge.geometry.head_shape import MEAN_HEAD

FOCAL = 800.0
GIVEN = Camera(1 / FOCAL, 0.0, (0.0, 0.0))


def seen(distance_cm, yaw_deg=0.0, error=0.5):
    """The mean head at this distance, px."""
    angle = np.radians(-yaw_deg)
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    head = MEAN_HEAD @ turn.T
    points = FOCAL * head[:, :2] / (distance_cm + head[:, 2:])
    return Face(np.zeros(4, np.float32), 1.0, points.astype(np.float32),
                np.full(15, error, np.float32))  # fmt: skip


@pytest.mark.parametrize("distance", [30.0, 60.0, 200.0])
@pytest.mark.parametrize("yaw", [0.0, 30.0])
def test_the_distance_of_the_mean_head_is_exact(distance, yaw):
    state = measure_head(seen(distance, yaw, error=0.01), GIVEN)
    assert state.distance_cm.value == pytest.approx(distance, rel=0.01)
    # Heads differ in size by a few per cent, which no point tells.
    assert 0.01 < state.distance_cm.error / distance < 0.05
    assert state.yaw_deg.value == pytest.approx(yaw, abs=0.5)


def test_an_assumed_focal_length_is_counted_in_the_error():
    state = measure_head(seen(60.0), Camera.of_image(640, 480))
    assert state.distance_cm.value == pytest.approx(60.0 * 960 / FOCAL, rel=0.02)
    assert state.distance_cm.error / state.distance_cm.value > 0.4


def test_without_a_camera_there_is_no_distance():
    assert measure_head(seen(60.0), NO_PERSPECTIVE).distance_cm is None


def test_facing_falls_with_the_angle():
    facing = [measure_head(seen(60.0, yaw), GIVEN).facing for yaw in (0, 10, FACING_DEG, 30, 45)]
    assert facing[0] > 0.99
    assert facing[2] == pytest.approx(0.5, abs=0.1)
    assert facing[4] < 0.01
    assert facing == sorted(facing, reverse=True)


def test_points_that_coincide_are_no_head():
    face = Face(np.zeros(4, np.float32), 1.0, np.ones((15, 2), np.float32),
                np.ones(15, np.float32))  # fmt: skip
    assert measure_head(face, GIVEN) is None
