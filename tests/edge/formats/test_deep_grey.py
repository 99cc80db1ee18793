import io

import numpy as np
import pytest
from PIL import Image

from edge.formats.deep_grey import to_8_bits
from edge.image import load_grey


def scaled(values):
    return np.asarray(to_8_bits(Image.fromarray(values)))


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_white_is_the_top_of_the_smallest_usual_range(bits):
    top = 2**bits - 1
    values = np.array([[0, top // 3, top]], np.uint16)
    assert scaled(values).tolist() == [[0, 85, 255]]


@pytest.mark.parametrize(("value", "grey"), [(900, 224), (4000, 249), (5000, 78), (20000, 78)])
def test_a_brightest_pixel_below_the_top_keeps_its_share_of_the_range(value, grey):
    # 900 of 1023, 4000 of 4095, 5000 of 16383, 20000 of 65535, times 255
    assert scaled(np.array([[value]], np.int32)).tolist() == [[grey]]


@pytest.mark.parametrize(
    ("values", "greys"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 0.5, 1.08], [0, 128, 255]),  # sharpening reaches beyond white
        ([0.0, 51.0, 255.0], [0, 51, 255]),
        ([0.0, 51.0, 262.0], [0, 51, 255]),
        ([0.0, 13107.0, 65535.0], [0, 51, 255]),
        ([-3.0, np.nan, 1.0], [0, 0, 255]),
        ([0.2, np.inf, -np.inf], [51, 255, 0]),
        ([0.0, 0.0, 0.0], [0, 0, 0]),
    ],
)
def test_floating_point_is_0_to_1_or_in_the_range_of_integers(values, greys):
    assert scaled(np.array([values], np.float32)).tolist() == [greys]


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_a_12_bit_image_in_a_file_of_16_bits(form):
    file = io.BytesIO()
    Image.fromarray(np.array([[0, 1365, 4095]], np.uint16)).save(file, form)
    assert load_grey(file.getvalue()).tolist() == [[0, 85, 255]]


def test_the_range_is_that_of_the_whole_image(rng):
    values = rng.integers(0, 4096, (700, 900)).astype(np.uint16)  # converted in several strips
    values[650, 7] = 4095
    expected = np.rint(values * (255 / 4095)).astype(np.uint8)
    np.testing.assert_array_equal(scaled(values), expected)
