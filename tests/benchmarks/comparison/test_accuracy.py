import numpy as np
import pytest

from benchmarks.comparison.accuracy import measure_accuracy
from benchmarks.datasets.photos import Photo
from edge.geometry.face_frame import MEAN_FACE
from edge.keypoints import KEYPOINT_NAMES


@pytest.fixture
def photo():
    return Photo(np.zeros((200, 200), np.uint8), np.float32(MEAN_FACE) + 50)


def face_of(points):
    return [list(map(float, point)) for point in points]


def test_the_face_nearest_to_the_annotation_is_compared(photo):
    far = face_of(photo.keypoints + 90)
    near = face_of(photo.keypoints + np.array([3, 4]))
    span = np.linalg.norm(
        photo.keypoints[KEYPOINT_NAMES.index("left_eye_outer_corner")]
        - photo.keypoints[KEYPOINT_NAMES.index("right_eye_outer_corner")]
    )
    measured = measure_accuracy([photo, photo], [[far, near], [far]])
    assert (measured["faces"], measured["found"], measured["keypoints"]) == (2, 1, 15)
    assert measured["error_raw"] == pytest.approx(5 / span, abs=1e-4)
    assert measured["error"] == pytest.approx(0, abs=1e-4)  # a common offset is the scheme's


def test_missing_keypoints_are_ignored(photo):
    points = [list(map(float, p)) if k in (0, 1, 10) else None
            for k, p in enumerate(photo.keypoints + np.array([3, 4]))]  # fmt: skip
    measured = measure_accuracy([photo], [[points]])
    assert measured["keypoints"] == 3
    assert measured["error"] == measured["error_raw"] > 0
    assert measure_accuracy([photo], [[None]]) == {"faces": 1, "found": None}
    assert measure_accuracy([photo], [[]]) == {"faces": 1, "found": 0}
