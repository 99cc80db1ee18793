import numpy as np
import pytest

pytest.importorskip("cv2")

from train.detector import photometric


def test_shadows_leave_at_least_a_tenth_of_the_light():
    bright = np.full((64, 64), 200, np.uint8)
    shaded = np.stack([photometric._shade(bright, np.random.default_rng(i)) for i in range(40)])
    assert shaded.max() <= 200
    assert 19 <= shaded.min() < 60
    assert shaded.std(axis=(1, 2)).min() > 1


def test_the_same_seed_gives_the_same_light_and_the_input_is_not_modified(rng):
    pixels = rng.integers(0, 256, (64, 64)).astype(np.uint8)
    before = pixels.copy()
    for seed in range(30):
        first, second = (
            photometric.change_light(pixels, np.random.default_rng(seed)) for _ in range(2)
        )
        np.testing.assert_array_equal(first, second)
        assert (first.shape, first.dtype) == ((64, 64), np.uint8)
    np.testing.assert_array_equal(pixels, before)
