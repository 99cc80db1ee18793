import numpy as np
import pytest
from PIL import Image

from edge.analysis.eyes import CLOSED_OPENING, closed_probability, cut_eyes, measure_eyes
from edge.crop import cut
from edge.face import Face
from edge.formats.reduced_jpeg import load_reduced_grey
from edge.geometry.affine import transform
from edge.geometry.eye_frame import PATCH, eye_frames, eye_matrices, mirrored
from edge.geometry.face_frame import MEAN_FACE
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


def cut_one_by_one(image, keypoints):
    right, left = eye_matrices(keypoints)
    return np.stack([cut(image, right, PATCH), mirrored(cut(image, left, PATCH))]).astype(int)


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("roll_deg", [3, 17, -120])
def test_both_eyes_are_cut_as_each_would_be(sample, detect, scale, roll_deg):
    picture = load_image(sample)
    [face] = detect(sample)
    angle = np.radians(roll_deg)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([turn, 400 - turn @ face.keypoints.mean(axis=0)])
    image = cut(to_grey(picture), matrix, 800)
    keypoints = transform(matrix, face.keypoints)
    both = cut_eyes(image, eye_frames(keypoints)).astype(int)
    difference = np.abs(both - cut_one_by_one(image, keypoints))
    assert difference.mean() < 1
    assert difference.max() < 20


def test_eyes_beyond_the_border_of_the_image_are_cut_as_it_continues():
    image = np.add.outer(4 * np.arange(60), np.arange(50)).astype(np.uint8)
    keypoints = transform(np.array([[0.5, 0, -20], [0, 0.5, -10]]), MEAN_FACE)
    both = cut_eyes(image, eye_frames(keypoints)).astype(int)
    np.testing.assert_allclose(both, cut_one_by_one(image, keypoints), atol=2)


def test_eyes_of_a_large_photo_are_cut_from_a_smaller_one(sample, detect, tmp_path):
    picture = Image.fromarray(load_image(sample)).resize((3072, 3072))
    picture.save(tmp_path / "large.jpg", quality=95)
    [face] = detect(sample)
    keypoints = transform(np.array([[6, 0, 2.5], [0, 6, 2.5]]), face.keypoints)
    reduced = load_reduced_grey(tmp_path / "large.jpg", 320)
    both = cut_eyes(reduced, eye_frames(keypoints)).astype(int)
    expected = cut_one_by_one(to_grey(np.asarray(picture)), keypoints)
    assert np.abs(both - expected).mean() < 3
