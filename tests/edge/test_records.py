import csv
import io
import json

import numpy as np
import pytest

from edge.errors import SourceError
from edge.face import Face
from edge.keypoints import KEYPOINT_NAMES
from edge.records import csv_header, csv_row, to_record
from edge.run.output_paths import PictureNames, Tables


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


def test_tables_hold_a_line_for_each_picture_and_a_row_for_each_face(face):
    lines, rows = io.StringIO(), io.StringIO()
    tables = Tables(KEYPOINT_NAMES, lines, rows)
    tables.write("ä, b.jpg", (10, 20), [face, face])
    tables.write("none.jpg", (10, 20), [])
    records = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [len(record["faces"]) for record in records] == [2, 0]
    table = list(csv.DictReader(io.StringIO(rows.getvalue())))
    assert [(row["image"], row["face"]) for row in table] == [("ä, b.jpg", "0"), ("ä, b.jpg", "1")]


class TestPictureNames:
    def test_beside_the_input(self, tmp_path):
        names = PictureNames([str(tmp_path / "image.jpg")], None, [])
        assert names.next(str(tmp_path / "image.jpg")) == tmp_path / "image.keypoints.jpg"

    def test_a_format_that_cannot_be_written_becomes_jpeg(self, tmp_path):
        names = PictureNames(["a.gif"], None, [])
        assert names.next("a.gif").name == "a.keypoints.jpg"

    def test_never_over_an_input_or_another_output(self, tmp_path):
        folders = [tmp_path / "a", tmp_path / "b"]
        inputs = [str(folder / "x.png") for folder in folders]
        inputs.append(str(tmp_path / "out" / "x.keypoints.png"))
        names = PictureNames(inputs, str(tmp_path / "out"), [])
        found = [names.next(name).name for name in inputs]
        assert found == ["x.keypoints-2.png", "x.keypoints-3.png", "x.keypoints.keypoints.png"]

    def test_the_input_as_output_is_refused(self, tmp_path):
        path = str(tmp_path / "a.jpg")
        with pytest.raises(SourceError, match="is read or written already"):
            PictureNames([path], path, [])

    def test_one_file_for_several_pictures_is_refused(self):
        with pytest.raises(SourceError, match="cannot hold 2 pictures"):
            PictureNames(["a.jpg", "b.jpg"], "c.jpg", [])
