import numpy as np
import pytest

pytest.importorskip("cv2")

from benchmarks.datasets.synthetic_videos import RATE, Actor, Scene, render
from edge.geometry.face_frame import MEAN_FACE
from edge.geometry.keypoint_frame import face_square

WHITE = np.full((48, 64, 3), 255, np.uint8)


@pytest.fixture
def actor():
    return Actor(np.zeros((200, 200, 3), np.uint8), np.asarray(MEAN_FACE, np.float64) + 52)


def fixed(x, y):
    return lambda t: (x, y, 1.0, 0.0)


def test_a_face_is_drawn_where_the_ground_truth_says(actor):
    (frame,) = render(Scene((fixed(200.0, 150.0),), 1 / RATE), [actor], WHITE)
    (truth,) = frame.truth
    square = face_square(truth)
    np.testing.assert_allclose(square[:2] + (square[2] - 1) / 2, [200, 150], atol=0.01)
    assert square[2] == pytest.approx(110, abs=0.01)
    columns, rows = truth.round().astype(int).T
    assert frame.image[rows, columns].max() < 20
    assert frame.image[150, 500].min() > 235


def test_the_motion_is_sampled_at_the_frame_rate(actor):
    scene = Scene((lambda t: (200 + 30 * t, 150.0, 1.0, 0.0),), 0.5)
    frames = list(render(scene, [actor], WHITE))
    assert len(frames) == 15
    moved = frames[-1].truth[0] - frames[0].truth[0]
    np.testing.assert_allclose(moved, np.tile([14.0, 0.0], (15, 1)), atol=1e-9)


def test_faces_outside_the_frame_or_behind_another_have_no_ground_truth(actor):
    scene = Scene((fixed(200.0, 150.0), fixed(210.0, 150.0), fixed(640.0, 240.0)), 1 / RATE)
    (frame,) = render(scene, [actor] * 3, WHITE)
    assert [truth is None for truth in frame.truth] == [True, False, True]


def test_a_cut_mirrors_the_background_and_moves_the_actors(actor):
    background = WHITE.copy()
    background[:24] = 0
    scene = Scene((lambda t: (200 + 10 * t, 150.0, 1.0, 0.0),), 2 / RATE, cut_at=1 / RATE)
    before, after = render(scene, [actor], background)
    assert before.image[10, 10].max() < 20 < 235 < after.image[10, 10].min()
    np.testing.assert_allclose(
        after.truth[0] - before.truth[0], np.tile([50 + 10 / RATE, 0], (15, 1))
    )


def test_videos_are_reproducible_and_differ_by_seed(actor):
    scene = Scene((fixed(200.0, 150.0),), 1 / RATE)
    first, second, other = (next(render(scene, [actor], WHITE, seed)).image for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


def test_an_actor_without_a_face_is_an_error(actor):
    nobody = Actor(actor.photo, np.full((15, 2), np.nan))
    with pytest.raises(ValueError, match="an actor needs at least three keypoints"):
        next(render(Scene((fixed(0, 0),), 1.0), [nobody], WHITE))
