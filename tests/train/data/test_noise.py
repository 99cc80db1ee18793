import numpy as np

from train.data.noise import make_noise


def test_noise_is_of_all_contrasts_and_the_same_for_a_seed():
    crops = make_noise(200, 96, np.random.default_rng(3))
    assert crops.shape == (200, 96, 96)
    assert crops.dtype == np.uint8
    spread = crops.reshape(200, -1).std(axis=1)
    assert spread.min() < 5
    assert spread.max() > 80
    np.testing.assert_array_equal(make_noise(200, 96, np.random.default_rng(3)), crops)
    assert make_noise(0, 96, np.random.default_rng(3)).shape == (0, 96, 96)


def test_noise_has_fine_grains_coarse_ones_and_stripes():
    crops = make_noise(200, 96, np.random.default_rng(4)).astype(float)
    crops -= crops.mean(axis=(1, 2), keepdims=True)
    spread = (crops**2).mean(axis=(1, 2)) + 1e-9
    neighbours = (crops[:, :, 1:] * crops[:, :, :-1]).mean(axis=(1, 2)) / spread
    assert (neighbours < 0.1).any()  # white
    assert (neighbours > 0.9).any()
    rows = (crops[:, 20:] * crops[:, :-20]).mean(axis=(1, 2)) / spread
    assert (abs(rows) > 0.7).any()  # stripes are as strong far away
