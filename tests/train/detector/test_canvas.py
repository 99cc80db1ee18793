import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
cv2 = pytest.importorskip("cv2")

from edge.geometry.face_frame import box_of_square  # noqa: E402
from tests.made_photos import empty_photo  # noqa: E402
from train.detector.canvas import compose, draw_with_torch, visible_faces  # noqa: E402
from train.detector.draws import (  # noqa: E402
    CANVAS,
    PASTED,
    QUADRANTS,
    Drawer,
    Draws,
    Placement,
    Weights,
)
from train.detector.photos import NO_BOXES, Photo  # noqa: E402
from train.detector.pool import HEIGHT, IS_FACE, ROLL, WIDTH, X, Y, make_pool  # noqa: E402

FACE, EMPTY = 0, 1
SQUARE = (30.0, 20.0, 40.0, 40.0)  # of the face in its photo; its centre is (49.5, 39.5)
BRIGHT = 220


def face_photo():
    """A dark photo whose face is bright above its centre."""
    pixels = np.full((100, 120), 30, np.uint8)
    pixels[20:40, 30:70] = BRIGHT
    box = box_of_square(SQUARE).astype(np.float32)[None]
    return Photo(pixels, box, NO_BOXES, "faces", np.zeros(1, np.float32))


@pytest.fixture(scope="module")
def pool():
    return make_pool([face_photo(), empty_photo()], "cpu")[0]


def place(shape, photo=EMPTY, active=False, target=(160.0, 160.0), **changes):
    def fill(value, dtype=torch.float32):
        return torch.full(shape, value, dtype=dtype)

    placement = Placement(
        photos=fill(photo, torch.long),
        active=fill(active, torch.bool),
        scale=fill(changes.get("scale", 1.0)),
        angle=fill(math.radians(changes.get("angle_deg", 0.0))),
        mirror=fill(changes.get("mirror", 1.0)),
        centre=torch.tensor((49.5, 39.5)).expand(*shape, 2).clone(),
        target=torch.tensor(target).expand(*shape, 2).clone(),
        level=fill(0, torch.long),
    )
    return placement


def draws_of(base=None, pasted=None, **changes):
    draws = Draws(
        background=place((1,)),
        plain=torch.full((1,), 90.0),
        base=base or place((1, QUADRANTS)),
        is_mosaic=torch.zeros(1, dtype=torch.bool),
        pasted=pasted or place((1, PASTED)),
        half_sides=torch.full((1, PASTED, 2), 40.0),
        is_soft=torch.zeros((1, PASTED), dtype=torch.bool),
        has_face=torch.ones((1, PASTED), dtype=torch.bool),
    )
    return replace(draws, **changes)


def faces_in(rows):
    return rows[0][(rows[0][:, IS_FACE] > 0) & (rows[0][:, WIDTH] > 0)]


@pytest.mark.parametrize(("angle_deg", "mirror"), [(0, 1), (90, 1), (-90, -1), (180, 1), (30, -1)])
def test_a_rotated_face_keeps_its_upright_box_about_its_square_and_rolls(pool, angle_deg, mirror):
    base = place(
        (1, QUADRANTS), FACE, True, scale=1.5, angle_deg=float(angle_deg), mirror=float(mirror)
    )
    pixels, rows = compose(pool, draws_of(base))
    (face,) = faces_in(rows)
    width, height = 0.84 * 60, 1.06 * 60
    np.testing.assert_allclose(face[[X, Y]], [160, 160 + 0.06 * 60], atol=1e-3)
    np.testing.assert_allclose(face[[WIDTH, HEIGHT]], [width, height], rtol=1e-5)
    turned = math.remainder(float(face[ROLL]) - math.radians(angle_deg), 2 * math.pi)
    assert turned == pytest.approx(0, abs=1e-5)
    # The bright half of the face is on the side of its forehead.
    up = torch.tensor([math.sin(face[ROLL]), -math.cos(face[ROLL])]) * 12
    forehead, chin = (
        pixels[0, int(160 + sign * up[1]), int(160 + sign * up[0])] for sign in (1, -1)
    )
    assert (float(forehead), float(chin)) == (BRIGHT, 30)


def test_the_background_shows_where_no_photo_is(pool):
    pixels, rows = compose(pool, draws_of(place((1, QUADRANTS), FACE, True)))
    assert float(pixels[0, 0, 0]) == 90
    assert float(pixels[0, 170, 160]) == 30
    pixels, rows = compose(pool, draws_of())
    assert (pixels == 90).all()
    assert not len(faces_in(rows))


def test_a_face_that_is_pasted_over_disappears_and_one_half_covered_is_ignored(pool):
    base = place((1, QUADRANTS), FACE, True)
    for shift, faces, ignored in ((0.0, 0, 0), (40.0, 0, 1), (100.0, 1, 0)):
        pasted = place((1, PASTED), EMPTY, False, target=(160 + shift, 160.0))
        pasted.active[:, 0] = True
        rows = visible_faces(pool, draws_of(base, pasted, has_face=torch.zeros(1, PASTED).bool()))
        used = rows[0][rows[0][:, WIDTH] > 0]
        assert (used[:, IS_FACE] > 0).sum() == faces, shift
        assert (used[:, IS_FACE] == 0).sum() == ignored, shift


def test_a_pasted_face_is_visible_with_its_row(pool):
    pasted = place((1, PASTED), FACE, False, target=(100.0, 200.0), angle_deg=180.0)
    pasted.active[:, 0] = True
    pixels, rows = compose(pool, draws_of(pasted=pasted))
    (face,) = faces_in(rows)
    np.testing.assert_allclose(face[[X, Y]], [100, 202.4], atol=1e-3)
    assert float(pixels[0, 200 + 12, 100]) == BRIGHT  # upside down
    assert float(pixels[0, 200 - 12, 100]) == 30
    assert float(pixels[0, 100, 100]) == 90


def test_an_oval_fades_into_what_it_is_pasted_over(pool):
    pasted = place((1, PASTED), FACE, False)
    pasted.active[:, 0] = True
    soft = torch.ones(1, PASTED).bool()
    pixels, _ = compose(pool, draws_of(pasted=pasted, is_soft=soft))
    row = pixels[0, 165, 160 - 45 : 160].tolist()
    assert row[0] == 90
    assert row[-1] == 30
    assert any(35 < value < 85 for value in row)


def test_faces_at_the_border_of_their_quadrant_are_ignored_and_clipped(pool):
    base = place((1, QUADRANTS), FACE, False, target=(160.0, 80.0))
    base.active[:, 0] = True
    rows = visible_faces(pool, draws_of(base, is_mosaic=torch.ones(1).bool()))
    (row,) = rows[0][rows[0][:, WIDTH] > 0]
    assert row[IS_FACE] == 0
    assert float(row[X] + row[WIDTH] / 2) == pytest.approx(CANVAS / 2 - 0.5)


def test_faces_below_the_smallest_size_are_ignored(pool):
    rows = visible_faces(pool, draws_of(place((1, QUADRANTS), FACE, True, scale=0.15)))
    (row,) = rows[0][rows[0][:, WIDTH] > 0]
    assert row[IS_FACE] == 0


def test_a_gpu_and_a_processor_draw_the_same_canvases():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (2, 120, 140)).astype(np.uint8)
    smooth = [cv2.GaussianBlur(pixels, (0, 0), 2) for pixels in noise]
    photos = [replace(face_photo(), pixels=smooth[0]), replace(empty_photo(), pixels=smooth[1])]
    pool = make_pool(photos, "cpu")[0]
    weights = Weights(*(torch.tensor(row) for row in ([1.0, 0.0],) * 3), torch.tensor([0.0, 1.0]))
    draws = Drawer(pool, weights, seed=1).draw(12, 0)
    pixels, _ = compose(pool, draws)
    difference = (pixels - draw_with_torch(pool, draws)).abs()
    assert difference.mean() < 0.6
    assert (difference > 4).float().mean() < 0.02  # at borders
