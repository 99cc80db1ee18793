import numpy as np
import pytest

pytest.importorskip("cv2")

from tests.made_photos import boxed, bright_photo, grey_photo
from train.detector.false_negatives import FalseNegatives
from train.detector.false_positives import FalsePositives
from train.detector.photo_pool import (
    PhotoPool,
    Target,
    _mirror,
    draw_negative,
    draw_patch,
    draw_photo,
)


def test_false_negatives_are_drawn_in_a_third_of_the_photos():
    missed = FalseNegatives(np.array([1]), np.array([1]))
    photos = [grey_photo("facemask"), grey_photo("facemask", [(40, 60, 40, 50), (100, 20, 20, 20)])]
    pool = PhotoPool(photos, np.array([1.0, 1.0]), [], [], false_negatives=missed)
    rng = np.random.default_rng(0)
    drawn = [draw_photo(pool, rng) for _ in range(400)]
    faces = [face for _, face in drawn if face is not None]
    assert set(faces) == {1}
    assert len(faces) / len(drawn) == pytest.approx(0.35, abs=0.08)
    assert all(len(photo.boxes) == (1 if face is None else 2) for photo, face in drawn)


def test_photos_are_drawn_by_their_probabilities():
    photos = [grey_photo("facemask"), grey_photo("facemask", [(1, 1, 9, 9), (20, 20, 9, 9)])]
    pool = PhotoPool(photos, np.array([0.2, 1.0]), [], [])
    rng = np.random.default_rng(0)
    counts = [len(draw_photo(pool, rng)[0].boxes) for _ in range(400)]
    assert counts.count(2) / 400 == pytest.approx(0.8, abs=0.06)


def test_half_of_the_negatives_are_drawn_for_a_false_positive():
    negatives = [np.zeros((90, 80), np.uint8), np.ones((90, 80), np.uint8)]
    found = FalsePositives(np.array([1]), boxed((10, 20, 16, 9)))
    pool = PhotoPool([], np.empty(0), [], negatives, found)
    rng = np.random.default_rng(0)
    drawn = [draw_negative(pool, rng) for _ in range(400)]
    targets = [target for _, target in drawn if target is not None]
    assert set(targets) == {Target(18.0, 24.5, 12.0)}
    assert len(targets) / 400 == pytest.approx(0.5, abs=0.08)
    assert all(pixels[0, 0] == 1 for pixels, target in drawn if target is not None)


def test_a_fifth_of_the_overlays_are_square_patches_without_faces():
    pool = PhotoPool([], np.empty(0), [], [np.zeros((90, 80), np.uint8)])
    rng = np.random.default_rng(0)
    patches = [patch for patch in (draw_patch(pool, rng) for _ in range(400)) if patch]
    assert len(patches) / 400 == pytest.approx(0.2, abs=0.06)
    sides = {patch.pixels.shape for patch in patches}
    assert all(height == width and 24 <= height < 80 for height, width in sides)
    assert all(len(patch.boxes) == 0 for patch in patches)


def test_a_mirrored_photo_has_mirrored_boxes():
    mirrored = _mirror(bright_photo(box=(40, 30, 24, 32), size=(120, 160)))
    np.testing.assert_array_equal(mirrored.boxes, boxed((160 - 40 - 24, 30, 24, 32)))
    assert mirrored.pixels[30, 96] == 220
    assert mirrored.pixels[30, 95] == 30
