import numpy as np
import pytest

pytest.importorskip("cv2")

from tests.made_photos import empty_photo, grey_photo
from train.detector.variants import make_variant


def variants(photo, is_masked):
    made = [make_variant(photo, is_masked, np.random.default_rng(i)) for i in range(100)]
    return [variant for variant in made if variant is not None]


def test_half_of_the_photos_have_a_variant_with_masks_or_hats_and_the_same_faces():
    photo = grey_photo()
    made = variants(photo, is_masked=False)
    assert 30 < len(made) < 70
    assert all((variant.boxes == photo.boxes).all() for variant in made)
    assert any((variant.pixels[90:] != 130).any() for variant in made)  # below the eyes
    assert any((variant.pixels[:60] != 130).any() for variant in made)  # above the face


def test_people_with_masks_get_no_further_masks():
    made = variants(grey_photo(), is_masked=True)
    assert 0 < len(made) < 35
    assert all((variant.pixels[90:] == 130).all() for variant in made)


def test_photos_without_faces_get_drawn_objects():
    made = variants(empty_photo(), is_masked=False)
    assert 40 < len(made) < 80
    assert any((variant.pixels != 90).any() for variant in made)
