import numpy as np
import pytest

from edge.face import Face
from edge.keypoints import KEYPOINT_NAMES
from edge.records import csv_header, csv_row, to_record


@pytest.fixture
def face():
    points = np.arange(30, dtype=np.float32).reshape(15, 2) + np.float32(0.126)
    return Face(np.array([1, 2, 3, 4], np.float32), 0.98765, points, np.full(15, 1.5, np.float32))


def test_the_json_record_is_the_documented_one(face):
    record = to_record("a.jpg", 640, 480, [face], KEYPOINT_NAMES)
    assert list(record) == ["image", "width", "height", "faces"]
    (entry,) = record["faces"]
    assert list(entry) == ["id", "box", "score", "keypoints", "measures"]
    assert entry["box"] == [1, 2, 3, 4]
    assert entry["score"] == 0.9877
    assert list(entry["keypoints"]) == list(KEYPOINT_NAMES)
    assert entry["keypoints"]["nose_tip"] == {"x": 20.13, "y": 21.13, "error": 1.5}


def test_the_csv_row_fits_its_header(face):
    row = dict(zip(csv_header(KEYPOINT_NAMES), csv_row("a.jpg", 0, 3, face), strict=True))
    assert list(row)[:8] == ["image", "frame", "face", "score", "box_x", "box_y", "box_w", "box_h"]
    assert row["face"] == 3
    assert row["mouth_center_bottom_lip_y"] == 29.13
    assert row["left_eye_center_error"] == 1.5
    assert len(row) == 8 + 30 + 15


def test_a_tracked_face_keeps_its_track_as_id(face):
    tracked = Face(face.box, face.score, face.keypoints, face.error, track_id=17)
    assert to_record("v", 1, 1, [tracked], KEYPOINT_NAMES)["faces"][0]["id"] == 17
    assert csv_row("v", 5, 0, tracked)[1:3] == [5, 17]
