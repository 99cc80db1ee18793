import keras
import numpy as np
import pytest

from tests.made_faces import make_labelled_faces
from train.data.labelled_faces import MARGIN, PADDED
from train.keypoints import device_views
from train.keypoints.device_views import render, to_pool
from train.keypoints.random_views import Views, ViewSource

NEUTRAL_LIGHT = (1, 1, 0, 0, 0, 0, 0, 0)


@pytest.fixture
def faces(rng):
    return make_labelled_faces(4, rng)


def plain_views(count, **changes):
    """Views of the central crop of row 0 without any degradation."""
    values = {
        "rows": np.zeros(count, np.int64),
        "to_padded": np.tile(np.float32([[1, 0, MARGIN], [0, 1, MARGIN]]), (count, 1, 1)),
        "light": np.tile(np.float32(NEUTRAL_LIGHT), (count, 1)),
        "occlusion": np.zeros((count, 6), np.float32),
        "quantisation": np.ones(count, np.float32),
        "window": np.tile(np.float32([0, 0, PADDED - 1, PADDED - 1]), (count, 1)),
        "targets": np.zeros((count, 167), np.float32),
    }
    return Views(**{**values, **changes})


def rendered(faces, views):
    return keras.ops.convert_to_numpy(render(to_pool(faces.images), views, seed=0))[..., 0]


def test_the_central_crop_is_rendered_without_changes(faces):
    crops = rendered(faces, plain_views(4, rows=np.arange(4)))
    inner = slice(MARGIN, PADDED - MARGIN)
    np.testing.assert_array_equal(crops, faces.images[:, inner, inner])


def test_a_shift_of_half_a_pixel_averages_two_pixels(faces):
    faces.images[:] = np.arange(PADDED, dtype=np.uint8)  # grey value = x
    shifted = np.tile(np.float32([[1, 0, 30.5], [0, 1, 48]]), (1, 1, 1))
    crop = rendered(faces, plain_views(1, to_padded=shifted))[0].astype(float)
    assert np.abs(crop - (np.arange(96) + 30.5)).max() <= 0.5  # rounded


def test_beyond_the_border_of_the_photo_its_last_pixels_are_repeated(faces):
    faces.images[:] = np.arange(PADDED, dtype=np.uint8)[:, None]  # grey value = y
    window = np.float32([(0, 60, PADDED - 1, 100)])
    crop = rendered(faces, plain_views(1, window=window))[0]
    np.testing.assert_array_equal(crop[:, 0], np.clip(np.arange(96) + MARGIN, 60, 100))


def test_brightness_and_contrast_are_applied_about_the_mean(faces):
    faces.images[:] = 100
    light = np.float32([(1, 2, 30, 0, 0, 0, 0, 0)])
    np.testing.assert_array_equal(rendered(faces, plain_views(1, light=light)), 130)


def test_an_occlusion_covers_its_rectangle_with_its_grey_value(faces):
    occlusion = np.float32([(40, 50, 3, 5, 7, 0)])
    crop = rendered(faces, plain_views(1, occlusion=occlusion))[0]
    assert (crop == 7).sum() == 5 * 9
    assert (crop[46:55, 38:43] == 7).all()


def test_compression_with_fine_steps_changes_nothing(rng):
    crops = rng.uniform(0, 255, (5, 96, 96)).astype(np.float32)
    fine = np.full(5, 1e-4, np.float32)
    compressed = keras.ops.convert_to_numpy(device_views._compress(crops, fine))
    np.testing.assert_allclose(compressed, crops, atol=0.01)


def test_compression_with_coarse_steps_leaves_the_mean_of_each_block(rng):
    blocks = rng.integers(100, 140, (12, 12)).astype(np.float32)
    crop = np.kron(blocks, np.ones((8, 8), np.float32)) + rng.uniform(-1, 1, (96, 96))
    crops = np.repeat(crop[None].astype(np.float32), 5, axis=0)
    compressed = keras.ops.convert_to_numpy(device_views._compress(crops, np.ones(5, np.float32)))
    np.testing.assert_allclose(compressed[-1], np.kron(blocks, np.ones((8, 8))), atol=1.5)
    np.testing.assert_array_equal(compressed[:-1], crops[:-1])


def test_the_first_crops_have_a_low_resolution(rng):
    crops = np.tile(np.float32([[0, 200], [200, 0]]), (16, 48, 48))
    downscaled = keras.ops.convert_to_numpy(device_views._downscale(crops))
    np.testing.assert_allclose(downscaled[0], 100)  # factor 4
    np.testing.assert_allclose(downscaled[2], 100)  # factor 2
    np.testing.assert_array_equal(downscaled[3:], crops[3:])


def test_random_views_are_bytes_of_the_size_of_a_crop(faces):
    views = ViewSource(faces).draw(48, np.random.default_rng(4))
    crops = keras.ops.convert_to_numpy(render(to_pool(faces.images), views, seed=1))
    assert crops.dtype == np.uint8
    assert crops.shape == (48, 96, 96, 1)
