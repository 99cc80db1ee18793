import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("cv2")

from edge.geometry.face_frame import box_of_square  # noqa: E402
from tests.made_photos import boxed, bright_photo, empty_photo  # noqa: E402
from train.detector.photos import NO_BOXES, Photo  # noqa: E402
from train.detector.pool import (  # noqa: E402
    HEIGHT,
    IS_FACE,
    MAX_FACES,
    ROLL,
    ROLL_WEIGHT,
    WIDTH,
    X,
    Y,
    make_pool,
    sample,
)

IDENTITY = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])


def ramp_photo(width=64, height=48):
    """Grey values 2·x + y."""
    y, x = np.mgrid[:height, :width]
    pixels = (2 * x + y).astype(np.uint8)
    return Photo(pixels, NO_BOXES, NO_BOXES, "ramp", np.empty(0, np.float32))


def draw(pool, matrix, level=0, side=16, reflect=False):
    zero = torch.zeros(1, dtype=torch.long)
    return sample(pool, zero, matrix, zero + level, side, reflect)


def test_a_photo_is_interpolated_between_its_pixels_and_ends_at_its_borders():
    pool, _ = make_pool([ramp_photo()], "cpu")
    matrix = IDENTITY + torch.tensor([[[0, 0, 10.25], [0, 0, 20.5]]])
    pixels, inside = draw(pool, matrix)
    expected = 2 * (10.25 + np.arange(16))[None] + (20.5 + np.arange(16))[:, None]
    np.testing.assert_allclose(pixels[0], expected, atol=1e-3)
    assert inside.all()
    _, inside = draw(pool, IDENTITY + torch.tensor([[[0, 0, -4.6], [0, 0, 40.0]]]))
    # x from −4.6: the first five are outside; y from 40: rows 40 to 47 are inside.
    assert inside[0].any(0).tolist() == [False] * 5 + [True] * 11
    assert inside[0].any(1).tolist() == [True] * 8 + [False] * 8


def test_a_photo_may_continue_mirrored_beyond_its_borders():
    pool, _ = make_pool([ramp_photo()], "cpu")
    pixels, _ = draw(pool, IDENTITY + torch.tensor([[[0, 0, -3.0], [0, 0, 0.0]]]), reflect=True)
    assert pixels[0, 0, :6].tolist() == [4, 2, 0, 0, 2, 4]


def test_a_coarser_level_shows_the_same_place_reduced():
    pool, _ = make_pool([ramp_photo()], "cpu")
    matrix = torch.tensor([[[4.0, 0, 1.5], [0, 4.0, 1.5]]])
    pixels, _ = draw(pool, matrix, level=2, side=8)
    # The mean of 4×4 pixels around 4·k + 1.5.
    centre = 4 * np.arange(8) + 1.5
    np.testing.assert_allclose(pixels[0], 2 * centre[None] + centre[:, None], atol=1.0)


def test_a_faces_row_has_the_centre_of_its_square_and_its_roll_if_known():
    box = box_of_square([20, 10, 40, 40]).astype(np.float32)
    photo = Photo(
        np.zeros((80, 80), np.uint8), np.stack([box, box + 5]), boxed((1, 2, 3, 4)), "a",
        np.array([90, np.nan], np.float32),
    )  # fmt: skip
    pool, kept = make_pool([empty_photo(), photo], "cpu")
    assert kept.tolist() == [True, True]
    assert pool.face_counts.tolist() == [0, 2]
    assert pool.used.sum(1).tolist() == [0, 3]
    rows = pool.faces[1]
    np.testing.assert_allclose(rows[0, [X, Y]], [39.5, 29.5], atol=1e-4)
    np.testing.assert_allclose(rows[0, [WIDTH, HEIGHT]], box[2:], rtol=1e-5)
    assert rows[:3, IS_FACE].tolist() == [1, 1, 0]
    np.testing.assert_allclose(rows[:2, ROLL], [np.pi / 2, 0], atol=1e-6)
    assert rows[0, ROLL_WEIGHT] == 1
    assert 0 < rows[1, ROLL_WEIGHT] < 1


def test_photos_with_too_many_faces_are_left_out():
    boxes = np.tile(boxed((1, 1, 4, 5)), (MAX_FACES + 1, 1))
    crowd = Photo(np.zeros((9, 9), np.uint8), boxes, NO_BOXES, "a", np.zeros(len(boxes)))
    pool, kept = make_pool([crowd, bright_photo("b")], "cpu")
    assert kept.tolist() == [False, True]
    assert pool.sources == ("b",)
