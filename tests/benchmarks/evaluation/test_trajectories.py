import numpy as np
import pytest

from benchmarks.evaluation.trajectories import Trajectory, jitter, lag, mean_error, share_found
from edge.face import Face
from edge.geometry.face_frame import MEAN_FACE

POINTS = np.asarray(MEAN_FACE, np.float64)
BOX = np.array([0, 0, 96, 96], np.float32)


def face(points, track_id=None):
    return Face(BOX, 1.0, points.astype(np.float32), np.ones(15, np.float32), track_id)


def trajectory(true_x, predicted_x):
    """A face at successive x, and its predictions; None where there is none."""
    result = Trajectory()
    for true, predicted in zip(true_x, predicted_x, strict=True):
        truth = None if true is None else POINTS + np.array([true, 0])
        faces = [] if predicted is None else [face(POINTS + np.array([predicted, 0]))]
        result.append(truth, faces)
    return result


def test_the_nearest_face_matches_if_it_is_near_enough():
    result = Trajectory()
    result.append(POINTS, [face(POINTS + 10, 3), face(POINTS + 1, 5)])
    result.append(POINTS, [face(POINTS + 40, 3)])
    result.append(None, [face(POINTS, 5)])
    np.testing.assert_array_equal(result.predicted[0], np.float32(POINTS + 1))
    assert np.isnan(result.predicted[1:]).all()
    assert np.isnan(result.truth[2]).all()
    assert result.track_ids == [5]


def test_changes_of_the_track_id_are_counted():
    result = Trajectory()
    for track_id in (0, 0, 2, 2, 0):
        result.append(POINTS, [face(POINTS, track_id)])
    assert result.id_switches == 2


def test_the_share_found_is_of_the_frames_with_a_visible_actor():
    assert share_found([trajectory([0, 0, None, 0, 0], [0, None, 0, 0, 0])]) == 0.75


def test_errors_are_compared_where_both_methods_found_the_face():
    ours, theirs = trajectory([0, 0, 0], [3, 1, None]), trajectory([0, 0, 0], [0, None, 0])
    assert mean_error([ours], [theirs]) == pytest.approx(3, abs=1e-4)
    assert mean_error([theirs], [ours]) == pytest.approx(0, abs=1e-4)


def test_jitter_is_the_change_of_the_error():
    true = list(range(30))
    constant = trajectory(true, [x + 2 for x in true])
    alternating = trajectory(true, [x + x % 2 for x in true])
    assert jitter([constant]) == pytest.approx(0, abs=1e-4)
    # In x the error changes by 1 px in every frame, in y it does not.
    assert jitter([alternating]) == pytest.approx(np.sqrt(0.5), abs=1e-4)


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_the_lag_is_the_delay_of_the_predictions(delay):
    true = list(5 * np.sin(np.arange(60) / 3))
    late = [true[max(0, i - delay)] for i in range(60)]
    assert lag(trajectory(true, late)) == pytest.approx(delay, abs=0.06)


def test_a_still_face_has_no_lag():
    assert lag(trajectory([0] * 20, [1] * 20)) == 0
