import numpy as np
import pytest
from PIL import Image

from edge.resize import resize


def test_every_pixel_counts_where_a_picture_shrinks():
    grey = np.zeros((100, 400), np.uint8)
    grey[:, ::2] = 200
    assert resize(grey, (80, 320)).shape == (80, 320)
    assert resize(grey, (100, 400)) is grey
    assert np.abs(resize(grey, (10, 40)).astype(int) - 100).max() <= 8


def test_a_picture_shrinks_by_a_whole_number_to_the_means_of_its_pixels(rng):
    grey = rng.integers(0, 256, (30, 42)).astype(np.uint8)
    means = grey.reshape(10, 3, 14, 3).mean(axis=(1, 3))
    assert np.abs(resize(grey, (10, 14)) - means).max() < 0.6


@pytest.mark.parametrize("size", [(200, 150), (333, 250), (640, 480)])
def test_pixels_of_a_photo_are_those_of_pillow(sample, size):
    with Image.open(sample) as file:
        photo = file.convert("L")
    theirs = photo.resize(size, Image.Resampling.BILINEAR, reducing_gap=2)
    ours = resize(np.asarray(photo), size[::-1])
    assert np.abs(ours - np.asarray(theirs, int)).max() <= 2
    assert (ours != np.asarray(theirs)).mean() < 0.2


@pytest.mark.parametrize(
    ("old", "new"),
    [((90, 121), (60, 80)), ((61, 47), (122, 94)), ((211, 333), (50, 79)), ((40, 3), (31, 7)),
     ((1, 900), (1, 320)), ((901, 1), (320, 1)), ((2, 2), (1, 5))],
)  # fmt: skip
def test_pixels_of_noise_are_nearly_those_of_pillow(rng, old, new):
    grey = rng.integers(0, 256, old).astype(np.uint8)
    theirs = Image.fromarray(grey).resize(new[::-1], Image.Resampling.BILINEAR, reducing_gap=2)
    assert np.abs(resize(grey, new) - np.asarray(theirs, int)).max() <= 3


def test_black_and_white_stay_what_they_are_however_long_a_picture_is():
    for value in (0, 255):
        grey = np.full((2, 100_000), value, np.uint8)
        assert (resize(grey, (1, 313)) == value).all()
