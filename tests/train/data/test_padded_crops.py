import numpy as np
import pytest

from train.data.padded_crops import MARGIN, PADDED_SIDE, cut_padded_crop


def test_a_square_of_the_crops_size_is_copied_with_its_margin(rng):
    grey = rng.integers(0, 256, (300, 300)).astype(np.uint8)
    keypoints = rng.uniform(110, 190, (15, 2)).astype(np.float32)
    image, points = cut_padded_crop(grey, keypoints, np.array([100.0, 100, 96, 96]))
    assert image.shape == (PADDED_SIDE, PADDED_SIDE)
    start, stop = 100 - MARGIN, 196 + MARGIN
    np.testing.assert_array_equal(image, grey[start:stop, start:stop])
    np.testing.assert_allclose(points, keypoints - 100 + MARGIN, atol=1e-4)


def test_a_larger_square_is_scaled_to_the_crop(rng):
    grey = rng.integers(0, 256, (600, 600)).astype(np.uint8)
    keypoints = np.full((15, 2), np.nan, np.float32)
    keypoints[0] = (200, 200)
    _, points = cut_padded_crop(grey, keypoints, np.array([104.5, 104.5, 192, 192]))
    # (200 − 104.5 + 0.5) / 2 − 0.5 + margin
    assert points[0] == pytest.approx(47.5 + MARGIN)
    assert np.isnan(points[1:]).all()
