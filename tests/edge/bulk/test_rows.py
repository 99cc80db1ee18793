from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("pyarrow")

import pyarrow as pa

from edge.analysis.assessment import Assessment
from edge.analysis.quality import Quality
from edge.analysis.state import COLUMNS, FaceState
from edge.bulk.rows import Rows, make_schema
from edge.face import Face
from edge.keypoints import KEYPOINT_NAMES
from edge.records import csv_header

COORDINATES = np.arange(30, dtype=np.float32).reshape(15, 2)
FACE = Face(np.float32([1, 2, 30, 40]), 0.87654, COORDINATES + 0.123, np.full(15, 1.5, np.float32))


def test_the_schema_is_that_of_the_csv_with_status_and_reason():
    schema = make_schema(KEYPOINT_NAMES)
    assert schema.names == [*csv_header(KEYPOINT_NAMES), "status", "reason"]
    types = dict(zip(schema.names, schema.types, strict=True))
    assert [types.pop(name) for name in ("image", "status", "reason")] == [pa.string()] * 3
    assert [types.pop(name) for name in ("frame", "face")] == [pa.int32()] * 2
    assert set(types.values()) == {pa.float32()}


def test_a_face_is_a_row_with_the_numbers_of_the_csv():
    rows = Rows(KEYPOINT_NAMES)
    rows.add("a.jpg", [FACE, FACE])
    first, second = rows.to_table().to_pylist()
    expected = {"frame": 0, "face": 0, "score": 0.8765}
    expected |= {"box_x": 1.0, "box_y": 2.0, "box_w": 30.0, "box_h": 40.0}
    for number, name in enumerate(KEYPOINT_NAMES):
        expected |= {f"{name}_x": 2 * number + 0.12, f"{name}_y": 2 * number + 1.12}
    expected |= {f"{name}_error": 1.5 for name in KEYPOINT_NAMES}
    numbers = {name: first[name] for name in csv_header(KEYPOINT_NAMES) if name != "image"}
    assert list(numbers) == list(expected)
    assert numbers == pytest.approx(expected, rel=1e-6)
    assert (first["image"], first["status"], first["reason"]) == ("a.jpg", "face", None)
    assert second == {**first, "face": 1}


def test_a_photo_without_a_face_and_one_that_failed_have_a_row_each():
    rows = Rows(KEYPOINT_NAMES)
    rows.add("b.jpg", [])
    rows.add_failed("c.jpg", "no such file")
    without_face, failed = rows.to_table().to_pylist()
    empty = dict.fromkeys(make_schema(KEYPOINT_NAMES).names)
    assert without_face == {**empty, "image": "b.jpg", "frame": 0, "status": "no face"}
    assert failed == {
        **empty, "image": "c.jpg", "frame": 0, "status": "failed", "reason": "no such file",
    }  # fmt: skip


def test_rows_count_photos_by_status():
    rows = Rows(KEYPOINT_NAMES)
    rows.add("a.jpg", [FACE, FACE])
    rows.add("b.jpg", [])
    rows.add_failed("c.jpg", "no such file")
    assert (rows.photos, rows.faces, rows.without_face, rows.failed) == (3, 2, 1, 1)


def test_no_rows_are_an_empty_table():
    table = Rows(KEYPOINT_NAMES).to_table()
    assert table.num_rows == 0
    assert table.schema == make_schema(KEYPOINT_NAMES)


def test_the_68_points_are_columns_of_every_photo():
    rows = Rows(KEYPOINT_NAMES, points68=True)
    points68 = np.arange(136, dtype=np.float32).reshape(68, 2)
    rows.add("a.jpg", [replace(FACE, points68=points68)])
    rows.add("b.jpg", [])
    rows.add_failed("c.jpg", "broken")
    table = rows.to_table()
    assert table.schema == make_schema(KEYPOINT_NAMES, points68=True)
    first, second, third = table.to_pylist()
    assert [first[f"p68_{i}_{axis}"] for i in range(68) for axis in "xy"] == list(range(136))
    assert second["p68_5_x"] is None
    assert third["reason"] == "broken"


def test_assessed_faces_have_further_columns():
    columns = ("quality", "expressions_smile", *COLUMNS)
    rows = Rows(KEYPOINT_NAMES, assessed=columns)
    state = FaceState(facing=0.5, focal_source="EXIF")
    rows.add("a.jpg", [FACE], [Assessment(Quality(0.75, {}), {"smile": 0.25}, state)])
    rows.add("b.jpg", [])
    rows.add_failed("c.jpg", "broken")
    table = rows.to_table()
    assert table.schema == make_schema(KEYPOINT_NAMES, assessed=columns)
    first, second, third = table.to_pylist()
    assert (first["facing"], first["distance_cm"], second["facing"]) == (0.5, None, None)
    assert (first["quality"], first["expressions_smile"]) == (0.75, 0.25)
    assert (first["focal_source"], second["focal_source"]) == ("EXIF", None)
    assert third["reason"] == "broken"
