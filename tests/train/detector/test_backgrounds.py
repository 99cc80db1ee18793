import numpy as np
import pytest

pytest.importorskip("cv2")

from tests.made_photos import boxed
from train.detector.backgrounds import SUFFIX, cut_backgrounds
from train.detector.photos import Photo


def photo(side=400, boxes=((150, 150, 60, 80),), ignored=((0, 0, 50, 400),)):
    """A photo whose pixels are 255 in its faces and regions to be ignored, and 7 elsewhere."""
    pixels = np.full((side, side), 7, np.uint8)
    for x, y, width, height in (*boxes, *ignored):
        pixels[y : y + height, x : x + width] = 255
    return Photo(pixels, boxed(*boxes), boxed(*ignored), "street", np.zeros(len(boxes)))


def test_parts_show_no_face_and_nothing_that_may_be_one():
    parts = cut_backgrounds(photo(), np.random.default_rng(1))
    assert 0 < len(parts) <= 4
    for part in parts:
        height, width = part.pixels.shape
        assert height == width >= 96
        assert (part.pixels == 7).all()
        assert (len(part.boxes), len(part.ignored), len(part.rolls)) == (0, 0, 0)
        assert part.source == "street" + SUFFIX


def test_small_photos_and_those_full_of_faces_have_no_such_parts():
    rng = np.random.default_rng(1)
    assert cut_backgrounds(photo(side=130, boxes=(), ignored=()), rng) == []
    assert cut_backgrounds(photo(boxes=((0, 0, 400, 400),), ignored=()), rng) == []
