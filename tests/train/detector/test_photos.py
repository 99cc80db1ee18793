"""What training canvases are made of: covered faces, shade, and faces that a detector missed."""

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("cv2")

import train.detector.false_negatives
from train.detector.false_negatives import Missed, find_missed
from train.detector.mosaic import Stock, _draw_photo, _scale_for
from train.detector.occluders import cover_faces
from train.detector.photometric import _shade
from train.detector.photos import Photo

NONE = np.empty((0, 4), np.float32)
BOX = (40.0, 60.0, 40.0, 50.0)


def photo(source="photos", boxes=(BOX,)):
    return Photo(np.full((160, 160), 130, np.uint8), np.array(boxes, np.float32), NONE, source)


def changed_rows(covers):
    """Which rows of a plain photo any of fifty tries to cover its face changes."""
    plain = photo()
    tries = [cover_faces(plain, rng=np.random.default_rng(i), **covers) for i in range(50)]
    assert (plain.pixels == 130).all()
    changed = np.mean([(some.pixels != 130).any() for some in tries])
    assert 0.5 < changed < 0.95  # about two faces of three
    return np.flatnonzero(np.any([(t.pixels != 130).any(axis=1) for t in tries], axis=0))


def test_masks_lie_below_the_eyes_and_hats_above_them():
    _, y, _, height = BOX
    masks = changed_rows({"masks": True, "hats": False})
    assert masks.min() > y + 0.25 * height
    assert masks.max() < y + 1.4 * height
    hats = changed_rows({"masks": False, "hats": True})
    assert hats.min() > y - 0.7 * height
    assert hats.max() < y + 0.45 * height


def test_without_covers_a_photo_is_left_alone():
    plain = photo()
    assert cover_faces(plain, False, False, np.random.default_rng(0)) is plain


def test_shade_only_darkens_and_leaves_a_tenth_of_the_light():
    bright = np.full((64, 64), 200, np.uint8)
    shaded = np.stack([_shade(bright, np.random.default_rng(i)) for i in range(40)])
    assert shaded.max() <= 200
    assert 19 <= shaded.min() < 60
    assert shaded.std(axis=(1, 2)).min() > 1


class Finder:
    """A detector that is sure of one box and not of another."""

    def __init__(self, path, threads):
        pass

    def __call__(self, grey, size):
        boxes = np.array([BOX, (100.0, 60.0, 40.0, 50.0)], np.float32)
        return boxes, np.array([0.9, 0.3], np.float32)

    @staticmethod
    def canvas(grey, size):
        return None, tuple(np.array(grey.shape) * 2)


def test_faces_count_as_missed_that_a_detector_does_not_find_surely(monkeypatch):
    monkeypatch.setattr(train.detector.false_negatives, "FaceDetector", Finder)
    unsure, unseen, tiny = (100, 60, 40, 50), (10, 120, 20, 20), (150, 5, 4, 4)
    photos = [photo("automatic", [unseen]), photo("hand", [BOX, unsure, unseen, tiny])]
    missed = find_missed("face.onnx", photos, ("hand",))
    assert missed.photos.tolist() == [1] * 4  # at either size
    assert sorted(missed.faces.tolist()) == [1, 1, 2, 2]


def test_missed_faces_are_drawn_more_often_and_in_the_middle():
    missed = Missed(np.array([1]), np.array([1]))
    other = (100.0, 20.0, 20.0, 20.0)
    photos = [photo("facemask"), photo("facemask", [BOX, other])]
    stock = Stock(photos, np.array([1.0, 1.0]), [], [], missed=missed)
    rng = np.random.default_rng(0)
    drawn = [_draw_photo(stock, rng) for _ in range(400)]
    faces = [face for _, face in drawn if face is not None]
    assert set(faces) == {1}
    assert len(faces) / len(drawn) == pytest.approx(0.35, abs=0.08)
    for some, face in drawn:
        if face is not None:
            _, about = _scale_for(some, 10.0, 50.0, rng, face)
            x, y, width, height = some.boxes[1]
            assert about == pytest.approx((x + width / 2, y + height / 2))
