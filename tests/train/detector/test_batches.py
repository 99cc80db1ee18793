from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("cv2")

from tests.made_photos import bright_photo
from train.detector.batches import CanvasBatches, make_pool
from train.recipes import FACE_RECIPES

RECIPE = replace(FACE_RECIPES["face-research"], batch_size=2, steps_per_epoch=3)
NEGATIVES = [np.full((100, 140), 90, np.uint8)]


def test_photos_are_drawn_by_the_shares_of_their_sets_and_other_sets_are_cropped_faces():
    photos = [bright_photo(name) for name in ("lfpw", "lfpw", "facemask", "lfw")]
    pool = make_pool(photos, NEGATIVES, RECIPE)
    assert [photo.source for photo in pool.photos] == ["lfpw", "lfpw", "facemask"]
    assert [photo.source for photo in pool.cut_faces] == ["lfw"]
    shares = np.diff(pool.cumulative, prepend=0)
    np.testing.assert_allclose(shares, np.array([0.15, 0.15, 0.55]) / 0.85)


def test_the_same_epoch_gives_the_same_batches():
    pool = make_pool([bright_photo("lfpw")], NEGATIVES, RECIPE)
    first, second = (CanvasBatches(pool, RECIPE, epoch=3)[1] for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    batches = CanvasBatches(pool, RECIPE, epoch=2)
    assert len(batches) == 3
    assert not (batches[1][0] == first[0]).all()
    batches.on_epoch_end()
    np.testing.assert_array_equal(batches[1][0], first[0])


def test_images_are_uint8_and_targets_have_a_row_per_cell():
    pool = make_pool([bright_photo("lfpw")], NEGATIVES, RECIPE)
    images, targets = CanvasBatches(pool, RECIPE)[0]
    assert (images.shape, images.dtype) == ((2, 320, 320, 1), np.uint8)
    assert (targets.shape, targets.dtype) == ((2, 40**2 + 20**2 + 10**2, 5), np.float32)
