import struct
from fractions import Fraction

import numpy as np
import pytest

from edge.video.display import square_pixel_size, upright
from tests.made_videos import MATRICES

# What becomes of the pixels 1 2 / 3 4 / 5 6, worked out from x' = a·x + c·y, y' = b·x + d·y.
SHOWN = {
    "90": [[5, 3, 1], [6, 4, 2]],
    "180": [[6, 5], [4, 3], [2, 1]],
    "270": [[2, 4, 6], [1, 3, 5]],
    "mirrored": [[2, 1], [4, 3], [6, 5]],
    "mirrored upside down": [[5, 6], [3, 4], [1, 2]],
    "transposed": [[1, 3, 5], [2, 4, 6]],
    "anti-transposed": [[6, 4, 2], [5, 3, 1]],
}
IMAGE = np.repeat(np.array([[1, 2], [3, 4], [5, 6]], np.uint8)[..., None], 3, axis=2)


def matrix_bytes(a, b, c, d, scale=1 << 16):
    return struct.pack("=9i", *(round(v * scale) for v in (a, b, 0, c, d, 0)), 0, 0, 1 << 30)


@pytest.mark.parametrize("name", list(MATRICES))
def test_a_frame_is_turned_and_mirrored_as_players_show_it(name):
    shown = upright(IMAGE, matrix_bytes(*MATRICES[name]))
    np.testing.assert_array_equal(shown[..., 0], SHOWN[name])
    assert shown.flags.c_contiguous


def test_without_a_matrix_a_frame_stays_as_it_is():
    assert upright(IMAGE, None) is IMAGE
    assert upright(IMAGE, b"short") is IMAGE
    np.testing.assert_array_equal(upright(IMAGE, bytes(36)), IMAGE)


def test_an_angle_between_is_rounded_to_a_quarter_turn():
    cos, sin = np.cos(np.radians(80)), np.sin(np.radians(80))
    shown = upright(IMAGE, matrix_bytes(cos, sin, -sin, cos))
    np.testing.assert_array_equal(shown[..., 0], SHOWN["90"])


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (None, (720, 576)),
        (Fraction(1), (720, 576)),
        (Fraction(2), (1440, 576)),
        (Fraction(16, 15), (768, 576)),  # PAL, 4:3
        (Fraction(64, 45), (1024, 576)),  # PAL, 16:9
        (Fraction(1, 2), (720, 1152)),
        (Fraction(0), (720, 576)),
        (Fraction(1000), (720, 576)),
    ],
)
def test_pixels_become_square_without_losing_detail(shape, expected):
    assert square_pixel_size(720, 576, shape) == expected
