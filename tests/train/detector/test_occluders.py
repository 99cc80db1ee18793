import numpy as np
import pytest

pytest.importorskip("cv2")

from tests.made_photos import grey_photo
from train.detector.occluders import cover_faces

BOX = (40.0, 60.0, 40.0, 50.0)


def changed_rows(occluders):
    """The rows of a photo that any of fifty random occluders changes."""
    plain = grey_photo()
    attempts = [cover_faces(plain, rng=np.random.default_rng(i), **occluders) for i in range(50)]
    assert (plain.pixels == 130).all()
    changed = np.mean([(attempt.pixels != 130).any() for attempt in attempts])
    assert 0.5 < changed < 0.95  # about two faces of three
    return np.flatnonzero(
        np.any([(attempt.pixels != 130).any(axis=1) for attempt in attempts], axis=0)
    )


def test_masks_are_below_the_eyes_and_hats_above_them():
    _, y, _, height = BOX
    masks = changed_rows({"masks": True, "hats": False})
    assert masks.min() > y + 0.25 * height
    assert masks.max() < y + 1.4 * height
    hats = changed_rows({"masks": False, "hats": True})
    assert hats.min() > y - 0.7 * height
    assert hats.max() < y + 0.45 * height


def test_without_occluders_the_photo_itself_is_returned():
    plain = grey_photo()
    assert cover_faces(plain, False, False, np.random.default_rng(0)) is plain
