import numpy as np
import pytest

from train.data.face_mesh import FACE_VERTICES, rotation_about_axes, triangulate
from train.visibility.self_occlusion import SelfOcclusion


@pytest.fixture
def ball():
    """Half a ball of radius 50 that looks at the viewer, its triangles, and 15 points on it."""
    rng = np.random.default_rng(3)
    radius, angle = 50 * np.sqrt(rng.random(FACE_VERTICES)), rng.uniform(0, 6.3, FACE_VERTICES)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    vertices = np.column_stack([x, y, -np.sqrt(np.maximum(2500 - x**2 - y**2, 0))])
    points = np.column_stack([np.linspace(-45, 45, 15), np.zeros(15)])
    return vertices, triangulate(vertices[:, :2]), points


def test_all_is_seen_from_the_front(ball):
    vertices, triangles, points = ball
    assert not SelfOcclusion(triangles, vertices, points)(vertices, points).any()


@pytest.mark.parametrize("side", [-1, 1])
def test_a_turned_ball_hides_its_far_side(ball, side):
    vertices, triangles, points = ball
    is_hidden = SelfOcclusion(triangles, vertices, points)
    turned = vertices @ rotation_about_axes(side * 70, 0).T
    hidden = is_hidden(turned, points)
    # A point at the angle a of the ball is behind its rim where a + 70° exceeds 90°.
    far = points[:, 0] * side < 0
    assert hidden[far].sum() >= 4
    assert not hidden[~far].any()
