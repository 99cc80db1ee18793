import numpy as np
import pytest

from edge.analysis.eyes import CLOSED_OPENING, closed_probability, measure_eyes
from edge.face import Face
from edge.image import load_image, to_grey
from edge.networks.eye_model import EyeModel


def test_the_closed_probability_is_that_of_laplace_errors():
    assert closed_probability(CLOSED_OPENING, 0.02) == 0.5
    # The probable error holds half of the errors: a quarter lies beyond it on each side.
    assert closed_probability(CLOSED_OPENING + 0.02, 0.02) == pytest.approx(0.25)
    assert closed_probability(CLOSED_OPENING - 0.02, 0.02) == pytest.approx(0.75)
    assert closed_probability(0.3, 0.02) < 0.001


def test_open_eyes_are_measured_as_open(sample, detect):
    image = to_grey(load_image(sample))
    [face] = detect(sample)
    [(right, left)] = measure_eyes(EyeModel(), image, [face])
    for eye in (right, left):
        assert 0.2 < eye.opening.value < 0.5
        assert 0.003 < eye.opening.error < 0.08
        assert eye.closed < 0.05


def test_an_eye_that_is_not_seen_is_stated_as_uncertain(sample, detect):
    image = to_grey(load_image(sample)).copy()
    [face] = detect(sample)
    model = EyeModel()
    [(before, _)] = measure_eyes(model, image, [face])
    x, y = face.keypoints[1].round().astype(int)  # the right eye's centre
    image[y - 12 : y + 6, x - 18 : x + 18] = image[y - 16, x - 18 : x + 18]
    [(after, _)] = measure_eyes(model, image, [face])
    assert after.opening.error > 5 * before.opening.error
    assert after.closed > before.closed


def test_faces_whose_points_coincide_have_no_eyes(sample, detect):
    image = to_grey(load_image(sample))
    flat = Face(np.zeros(4, np.float32), 1.0, np.ones((15, 2), np.float32),
                np.ones(15, np.float32))  # fmt: skip
    [face] = detect(sample)
    assert measure_eyes(EyeModel(), image, [flat]) == [None]
    assert measure_eyes(EyeModel(), image, []) == []
    first, second = measure_eyes(EyeModel(), image, [flat, face])
    assert first is None
    assert second == measure_eyes(EyeModel(), image, [face])[0]
