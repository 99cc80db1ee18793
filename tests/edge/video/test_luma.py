import numpy as np
import pytest

from edge.crop import cut
from edge.errors import ImageError
from edge.geometry.similarity import similarity
from edge.image import load_image, to_grey
from edge.video.luma import Luma, view_frame


def test_the_grey_of_a_part_is_a_part_of_the_grey(rng):
    picture = rng.integers(0, 256, (40, 60, 3)).astype(np.uint8)
    luma, grey = Luma(picture), to_grey(picture)
    assert (luma.shape, luma.size) == (grey.shape, grey.size)
    for part in (np.s_[3:20, 5:50], np.ix_([0, 0, 1], [58, 59, 59]), np.s_[:]):
        np.testing.assert_array_equal(luma[part], grey[part])


@pytest.mark.parametrize("high", [(60, 40), (59, 39), (21, 8)])
def test_a_window_is_a_part_of_the_grey(high, rng):
    picture = rng.integers(0, 256, (40, 60, 3)).astype(np.uint8)
    window = Luma(picture).window((20, 7), high)
    np.testing.assert_array_equal(window, to_grey(picture)[7 : high[1], 20 : high[0]])


def test_a_frame_that_is_a_part_of_another_has_its_own_windows(rng):
    picture = rng.integers(0, 256, (80, 60, 3)).astype(np.uint8)[::2, ::-1]
    window = Luma(picture).window((2, 3), (50, 40))
    np.testing.assert_array_equal(window, to_grey(picture.copy())[3:40, 2:50])


@pytest.mark.parametrize(
    ("scale", "angle", "target"),
    [(0.7, 12.0, (10.0, 12.0)), (0.7, 0.0, (30.0, 16.0)), (2.0, 30.0, (16.0, 16.0))],
)
def test_crops_are_those_of_the_whole_grey(scale, angle, target, rng):
    picture = rng.integers(0, 256, (40, 60, 3)).astype(np.uint8)
    matrix = similarity(scale, angle, (20.0, 15.0), target)  # the first reaches outside
    np.testing.assert_array_equal(cut(Luma(picture), matrix, 32), cut(to_grey(picture), matrix, 32))


def test_windows_and_parts_of_bgr_are_those_of_rgb(rng):
    picture = rng.integers(0, 256, (40, 60, 3)).astype(np.uint8)
    bgr = np.ascontiguousarray(picture[..., ::-1])
    same, luma = Luma(picture), Luma(view_frame(bgr, "bgr"))
    np.testing.assert_array_equal(luma[5:20, 3:30], same[5:20, 3:30])
    low, high = (2, 3), (50, 40)
    np.testing.assert_array_equal(
        np.asarray(luma.window(low, high)), np.asarray(same.window(low, high))
    )


def test_frames_are_taken_as_they_are(rng, sample):
    colour = rng.integers(0, 256, (40, 60, 3)).astype(np.uint8)
    assert view_frame(colour) is colour
    assert view_frame(colour[..., 0]).base is colour
    np.testing.assert_array_equal(view_frame(sample), load_image(sample))
    assert view_frame(colour, "bgr").base is colour
    with pytest.raises(ImageError, match="floats from 0 to 1"):
        view_frame(colour.astype(np.float32))
    with pytest.raises(ImageError, match="shape"):
        view_frame(colour[0, 0])
