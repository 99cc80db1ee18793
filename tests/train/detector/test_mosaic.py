import numpy as np
import pytest

pytest.importorskip("cv2")

from tests.made_photos import bright_photo, grey_photo
from train.detector.canvas import CANVAS
from train.detector.mosaic import draw_scale, make_canvas
from train.detector.photo_pool import PhotoPool


def pool_of(photos):
    shares = np.linspace(1 / len(photos), 1, len(photos))
    return PhotoPool(photos, shares, photos[:1], [np.full((100, 140), 90, np.uint8)])


def test_the_same_seed_gives_the_same_canvas():
    photo_pool = pool_of([bright_photo(), bright_photo(box=(5, 5, 60, 80))])
    for seed in range(30):
        first, second = (make_canvas(photo_pool, np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(first.pixels, second.pixels)
        np.testing.assert_array_equal(first.boxes, second.boxes)
        assert first.pixels.shape == (CANVAS, CANVAS)
        assert first.pixels.dtype == np.uint8
        sizes = np.sqrt(first.boxes[:, 2] * first.boxes[:, 3])
        assert ((sizes >= 8) & (sizes < 300)).all()


def test_composing_a_canvas_does_not_modify_the_photos():
    photos = [bright_photo(), bright_photo(box=(5, 5, 60, 80))]
    photo_pool = pool_of(photos)
    before = [photo.pixels.copy() for photo in photos]
    for seed in range(20):
        make_canvas(photo_pool, np.random.default_rng(seed))
    for photo, pixels in zip(photos, before, strict=True):
        np.testing.assert_array_equal(photo.pixels, pixels)
    assert (photo_pool.negatives[0] == 90).all()


def test_layouts_with_and_without_faces_and_with_several_are_drawn():
    photo_pool = pool_of([bright_photo()])
    counts = [len(make_canvas(photo_pool, np.random.default_rng(i)).boxes) for i in range(60)]
    assert min(counts) == 0
    assert 1 in counts
    assert max(counts) >= 4


def test_a_scale_gives_the_chosen_face_a_size_within_the_limits():
    photo = grey_photo(boxes=[(40, 60, 40, 40), (100, 20, 20, 20)])
    rng = np.random.default_rng(0)
    scales = [draw_scale(photo, 50.0, rng, face=1) for _ in range(200)]
    assert {centre for _, centre in scales} == {(110.0, 30.0)}
    sizes = 20 * np.array([scale for scale, _ in scales])
    assert 9.6 <= sizes.min() < 11
    assert 42 < sizes.max() <= 50
