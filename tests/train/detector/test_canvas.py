import numpy as np
import pytest

pytest.importorskip("cv2")

from edge.geometry.similarity import similarity
from tests.made_photos import boxed, bright_photo
from train.detector.canvas import (
    CANVAS,
    Canvas,
    clip_boxes,
    ignore_unusable,
    overlay,
    overlay_cell,
    share_inside,
)
from train.detector.photos import NO_BOXES


def black_canvas(boxes=NO_BOXES):
    return Canvas(np.zeros((CANVAS, CANVAS), np.uint8), boxes, NO_BOXES)


def test_the_boxes_of_an_overlaid_photo_are_where_its_faces_are():
    photo = bright_photo()
    canvas = Canvas(np.zeros((CANVAS, CANVAS), np.uint8), NO_BOXES, NO_BOXES)
    overlaid = overlay(canvas, photo, similarity(0.5, 0.0, (52.0, 46.0), (200.0, 100.0)))
    x, y, width, height = overlaid.boxes[0]
    assert (width, height) == pytest.approx((12, 16))
    inside = overlaid.pixels[
        round(y) + 1 : round(y + height) - 1, round(x) + 1 : round(x + width) - 1
    ]
    assert inside.min() > 200
    assert overlaid.pixels[: round(y) - 2].max() < 60


def test_an_occluded_face_is_removed_and_a_partly_occluded_one_ignored():
    photo = bright_photo(size=(100, 100))
    background = Canvas(np.zeros((CANVAS, CANVAS), np.uint8), boxed((110, 110, 20, 20)), NO_BOXES)
    same = similarity(1.0, 0.0, (0.0, 0.0), (100.0, 100.0))
    assert len(overlay(background, photo, same).boxes) == 1  # only that of the photo
    to_the_right = similarity(1.0, 0.0, (0.0, 0.0), (120.0, 100.0))
    half = overlay(background, photo, to_the_right)
    assert len(half.boxes) == 1
    np.testing.assert_allclose(half.ignored, [[110, 110, 20, 20]])


def test_overlaying_modifies_neither_canvas_nor_photo():
    canvas, photo = black_canvas(), bright_photo()
    pixels = photo.pixels.copy()
    overlay(canvas, photo, similarity(1.0, 10.0, (0.0, 0.0), (50.0, 50.0)), soft=True)
    assert not canvas.pixels.any()
    np.testing.assert_array_equal(photo.pixels, pixels)


def test_a_softly_overlaid_photo_has_no_corners():
    photo = bright_photo(box=(0, 0, 100, 100), size=(100, 100))
    matrix = similarity(1.0, 0.0, (0.0, 0.0), (100.0, 100.0))
    hard, soft = (overlay(black_canvas(), photo, matrix, soft).pixels for soft in (False, True))
    assert hard[101, 101] == 220
    assert soft[101, 101] == 0
    assert soft[150, 150] == 220


def test_a_cell_of_a_mosaic_shows_its_photo_only_and_ignores_faces_cut_by_its_border():
    photo = bright_photo(box=(40, 30, 24, 32))
    matrix = similarity(1.0, 0.0, (0.0, 0.0), (60.0, 60.0))  # the face is at x 100, y 90
    inside = overlay_cell(black_canvas(), (80, 80, 160, 160), photo, matrix)
    np.testing.assert_allclose(inside.boxes, [[100, 90, 24, 32]])
    assert inside.pixels[100, 110] == 220
    assert not inside.pixels[:80].any()
    assert not inside.pixels[:, 160:].any()
    cut = overlay_cell(black_canvas(), (80, 80, 112, 160), photo, matrix)
    assert len(cut.boxes) == 0
    np.testing.assert_allclose(cut.ignored, [[100, 90, 12, 32]])


def test_faces_that_are_too_small_or_mostly_outside_are_ignored():
    good, tiny, outside, gone = (9, 9, 20, 20), (50, 50, 7, 7), (310, 9, 20, 20), (400, 9, 20, 20)
    canvas = ignore_unusable(black_canvas(boxed(good, tiny, outside, gone)))
    np.testing.assert_array_equal(canvas.boxes, boxed(good))
    np.testing.assert_array_equal(canvas.ignored, boxed(tiny, outside))


def test_boxes_are_clipped_to_a_window_and_their_share_inside_it_is_known():
    boxes = boxed((0, 0, 10, 10), (5, 5, 10, 10), (50, 50, 5, 5))
    window = boxed((5, 0, 10, 10))
    np.testing.assert_allclose(share_inside(boxes, window), [0.5, 0.5, 0], atol=1e-6)
    np.testing.assert_allclose(clip_boxes(boxes, window[0]), boxed((5, 0, 5, 10), (5, 5, 10, 5)))
