import sys
from dataclasses import replace

import numpy as np
import pytest

import edge
from edge.errors import MissingExtra
from edge.face import Face
from edge.keypoints import KEYPOINT_NAMES
from edge.measures import MeasureSettings
from edge.networks.keypoint_model import Prediction
from edge.records import csv_header, csv_row, faces_of_crops, to_dataframe, to_record


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


def test_a_face_that_fills_its_image_is_a_crop_without_a_camera(sample, detect):
    (face,) = detect(sample)
    whole = Face(np.array([0, 0, 512, 512], np.float32), face.score, face.keypoints, face.error)
    measured = {
        name: to_record("a.jpg", 512, 512, [one], KEYPOINT_NAMES, measuring=settings)["faces"][0][
            "measures"
        ]
        for name, one, settings in (
            ("photo", face, MeasureSettings()),
            ("near", face, MeasureSettings(focal_px=150.0)),
            ("crop", whole, MeasureSettings(focal_px=150.0)),
        )
    }
    pitch = {name: found["pitch_deg"]["value"] for name, found in measured.items()}
    assert pitch["crop"] == round(edge.measure(face)["pitch_deg"].value, 2)
    assert pitch["photo"] == round(edge.measure(face, image_size=(512, 512))["pitch_deg"].value, 2)
    assert len(set(pitch.values())) == 3


def test_measures_are_frontal_if_asked_for(sample, detect):
    (face,) = detect(sample)
    settings = MeasureSettings(frontal=True)
    record = to_record("a.jpg", 512, 512, [face], KEYPOINT_NAMES, measuring=settings)
    expected = edge.measure(face, image_size=(512, 512), frontal=True)["smile"]
    found = record["faces"][0]["measures"]["smile"]
    assert found == {"value": round(expected.value, 4), "error": round(expected.error, 4)}


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


def test_the_68_points_and_the_90_percent_radius_are_written_where_they_are(face):
    points68 = np.arange(136, dtype=np.float32).reshape(68, 2) + np.float32(0.126)
    full = replace(face, points68=points68, error90=face.error * 2)
    (entry,) = to_record("a.jpg", 640, 480, [full], KEYPOINT_NAMES)["faces"]
    assert list(entry) == ["id", "box", "score", "keypoints", "points68", "measures"]
    assert entry["points68"][:2] == [[0.13, 1.13], [2.13, 3.13]]
    assert len(entry["points68"]) == 68
    expected = {"x": 20.13, "y": 21.13, "error": 1.5, "error90": 3.0}
    assert entry["keypoints"]["nose_tip"] == expected
    header = csv_header(KEYPOINT_NAMES, points68=True)
    row = dict(zip(header, csv_row("a.jpg", 0, 3, full), strict=True))
    assert header[:53] == csv_header(KEYPOINT_NAMES)
    assert header[53:55] == ["p68_0_x", "p68_0_y"]
    assert (row["p68_67_x"], row["p68_67_y"]) == (134.13, 135.13)


def test_each_crop_is_a_face_of_the_whole_crop():
    prediction = Prediction(np.ones((2, 15, 2)), np.full((2, 15), 3.0), np.array([0.25, 0.5]))
    prediction.points68 = np.stack([np.full((68, 2), 7.0), np.full((68, 2), 8.0)])
    first, second = faces_of_crops(prediction, 96)
    assert first.box.tolist() == second.box.tolist() == [0, 0, 96, 96]
    assert (first.score, second.score) == (0.25, 0.5)
    assert (first.points68[0].tolist(), second.points68[0].tolist()) == ([7, 7], [8, 8])
    assert first.error90 is None


def test_a_table_of_pandas_has_the_rows_of_the_csv(monkeypatch):
    pytest.importorskip("pandas")
    arrays = np.arange(4, dtype=np.float32), 0.5, np.ones((15, 2), np.float32), np.ones(15)
    face = Face(*arrays)
    table = to_dataframe([[face, face], [], [face]], ["a.jpg", "b.jpg", "c.jpg"])
    assert list(table.columns) == csv_header(KEYPOINT_NAMES)
    assert table[["image", "face", "box_w"]].values.tolist() == [
        ["a.jpg", 0, 2.0], ["a.jpg", 1, 2.0], ["c.jpg", 0, 2.0]
    ]  # fmt: skip
    assert to_dataframe([face]).image.tolist() == ["0"]
    assert to_dataframe([face], "a.jpg").image.tolist() == ["a.jpg"]
    assert to_dataframe([]).shape == (0, 53)
    whole = Face(*arrays, points68=np.full((68, 2), 3, np.float32))
    assert to_dataframe([whole]).p68_67_y.tolist() == [3]
    with pytest.raises(ValueError, match="a name for each of 2 images, received 1"):
        to_dataframe([[face], []], ["a.jpg"])
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtra, match=r"edge-keypoints\[pandas\]"):
        to_dataframe([face])
