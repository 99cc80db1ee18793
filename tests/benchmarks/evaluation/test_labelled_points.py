import numpy as np
import pytest

from benchmarks.evaluation.labelled_points import PARTS_68, Points, errors68, measure
from edge.geometry.face_frame import MEAN_FACE
from edge.keypoints import KEYPOINT_NAMES

LABELS = np.stack([MEAN_FACE + 10, MEAN_FACE * 2])
LABELS68 = np.random.default_rng(3).uniform(0, 90, (2, 68, 2))


def test_the_68_points_are_in_parts_of_the_distance_between_the_outer_eye_corners():
    labels = LABELS68[:1].copy()
    labels[0, [36, 45]] = (20, 40), (60, 40)
    distances = errors68(labels + np.array([3.0, 4.0]), labels)
    np.testing.assert_allclose(distances, np.full((1, 68), 5 / 40))


def test_the_parts_cover_the_68_points_once():
    parts = [np.arange(68)[PARTS_68[n]] for n in ("jaw", "brows", "nose", "eyes", "mouth")]
    np.testing.assert_array_equal(np.concatenate(parts), np.arange(68))
    assert len(np.arange(68)[PARTS_68["rest"]]) == 51


def test_what_was_not_found_is_left_out_and_a_common_offset_removed():
    measured = measure([None, Points(LABELS[1] + 3)], LABELS, LABELS68)
    assert (measured["faces"], measured["found"]) == (2, 1)
    span = 2 * np.linalg.norm(MEAN_FACE[3] - MEAN_FACE[5])
    assert measured["error_raw"] == pytest.approx(np.hypot(3, 3) / span, abs=1e-5)
    assert measured["error"] == pytest.approx(0, abs=1e-5)
    assert set(measured) == {"faces", "found", "error_raw", "error"}


def test_the_shares_inside_the_radii_are_by_keypoint():
    # The offsets of both faces differ, so that half of the difference remains.
    predictions = [
        Points(LABELS[0], LABELS68[0], np.full(15, 0.5), np.full(15, 9.0)),
        Points(LABELS[1] + [6, 0], LABELS68[1], np.full(15, 3.0), np.full(15, 9.0)),
    ]
    measured = measure(predictions, LABELS, LABELS68)
    assert list(measured["inside"]) == list(KEYPOINT_NAMES)
    assert set(measured["inside90"].values()) == {1.0}
    assert measured["error68"] == 0


def test_no_face_at_all_is_an_error():
    with pytest.raises(ValueError, match="none of the 2 annotated faces is detected"):
        measure([None, None], LABELS, LABELS68)
