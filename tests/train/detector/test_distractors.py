import numpy as np
import pytest

pytest.importorskip("cv2")

from tests.made_photos import boxed
from train.detector.distractors import draw_distractors
from train.detector.photos import NO_BOXES


def test_distractors_change_the_canvas_but_no_face_and_not_the_input():
    canvas = np.full((320, 320), 130, np.uint8)
    face = boxed((100, 80, 120, 150))
    drawn = [draw_distractors(canvas, face, np.random.default_rng(i)) for i in range(30)]
    assert (canvas == 130).all()
    assert all((pixels[80:230, 100:220] == 130).all() for pixels in drawn)
    assert np.mean([(pixels != 130).any() for pixels in drawn]) > 0.8


def test_no_distractor_is_drawn_where_a_face_fills_the_canvas():
    canvas = np.full((64, 64), 130, np.uint8)
    for seed in range(10):
        drawn = draw_distractors(canvas, boxed((0, 0, 64, 64)), np.random.default_rng(seed))
        np.testing.assert_array_equal(drawn, canvas)


def test_the_same_seed_draws_the_same_distractors():
    canvas = np.zeros((100, 140), np.uint8)
    first, second = (draw_distractors(canvas, NO_BOXES, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
