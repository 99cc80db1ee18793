import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("cv2")

from tests.made_photos import bright_photo, empty_photo  # noqa: E402
from train.detector.draws import CANVAS, QUADRANTS, Drawer, Weights  # noqa: E402
from train.detector.pool import make_pool  # noqa: E402

COUNT = 400


@pytest.fixture(scope="module")
def drawer():
    pool, _ = make_pool([bright_photo("a"), bright_photo("b"), empty_photo()], "cpu")
    faces, empty = torch.tensor([1.0, 0, 0]), torch.tensor([0, 0, 1.0])
    return Drawer(pool, Weights(faces, torch.tensor([0, 1.0, 0]), faces, empty), seed=1)


def test_draws_depend_on_seed_and_number_alone(drawer):
    first, again, other = (drawer.draw(COUNT, number) for number in (3, 3, 4))
    assert torch.equal(first.base.scale, again.base.scale)
    assert torch.equal(first.pasted.target, again.pasted.target)
    assert not torch.equal(first.base.scale, other.base.scale)


def test_each_kind_of_photo_is_drawn_with_its_own_weights(drawer):
    draws = drawer.draw(COUNT, 0)
    assert set(draws.background.photos.tolist()) == {2}
    assert set(draws.base.photos[draws.is_mosaic].flatten().tolist()) == {1}
    assert set(draws.base.photos[~draws.is_mosaic].flatten().tolist()) == {0}
    assert set(draws.pasted.photos[draws.has_face].tolist()) == {0}
    assert set(draws.pasted.photos[~draws.has_face].tolist()) == {2}


def test_a_photo_that_fills_a_canvas_is_placed_alike_in_all_quadrants(drawer):
    base = drawer.draw(COUNT, 0)
    single = base.base.take(~base.is_mosaic)
    assert (single.angle == single.angle[:, :1]).all()
    assert (single.target == single.target[:, :1]).all()
    mosaic = base.base.take(base.is_mosaic)
    quadrant = (mosaic.target // (CANVAS / 2)).long()
    expected = torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1]]).expand(len(quadrant), QUADRANTS, 2)
    assert torch.equal(quadrant, expected)


def test_the_matrix_takes_the_target_to_the_centre_and_rotates_clockwise(drawer):
    placed = drawer.draw(COUNT, 1).pasted
    matrices = placed.to_photo()
    centre = (matrices[..., :2] @ placed.target[..., None])[..., 0] + matrices[..., 2]
    np.testing.assert_allclose(centre, placed.centre, atol=1e-3)
    # One photo pixel to the right of the centre lies on the canvas in the direction of the angle.
    step = placed.scale * placed.mirror
    canvas = torch.stack([placed.angle.cos() * step, placed.angle.sin() * step], -1)
    moved = (matrices[..., :2] @ canvas[..., None])[..., 0]
    np.testing.assert_allclose(moved[..., 0], 1, atol=1e-4)
    np.testing.assert_allclose(moved[..., 1], 0, atol=1e-4)


def test_rotations_cover_the_circle_and_half_of_the_faces_are_small(drawer):
    draws = drawer.draw(COUNT, 2)
    degrees = torch.rad2deg(draws.pasted.angle).flatten()
    assert (np.histogram(degrees, bins=12, range=(-180, 180))[0] > 0).all()
    assert 0.3 < (degrees.abs() < 30).float().mean() < 0.8
    size = draws.base.scale[~draws.is_mosaic] * (24 * 32) ** 0.5
    assert size.min() > 9.5
    assert size.max() <= 2.5 * (24 * 32) ** 0.5 + 1e-3
    assert 0.4 < (size < 48).float().mean() < 0.9
