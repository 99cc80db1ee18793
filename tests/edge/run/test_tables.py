import csv
import io
import json
import os
import sys

import pytest

from edge.analysis.event import Event
from edge.cli.streams import make_streams_readable
from edge.errors import SourceError
from edge.formats.names import read_name
from edge.keypoints import KEYPOINT_NAMES
from edge.measures import MeasureSettings
from edge.records import csv_header
from edge.run.tables import TableContent, TablePaths, Tables, open_tables


@pytest.fixture
def paths(tmp_path):
    return TablePaths(str(tmp_path / "f.jsonl"), str(tmp_path / "f.csv"))


def test_tables_have_a_line_per_image_and_a_row_per_face(face):
    lines, rows = io.StringIO(), io.StringIO()
    tables = Tables(KEYPOINT_NAMES, lines, rows)
    tables.write("ä, b.jpg", (10, 20), [face, face])
    tables.write("none.jpg", (10, 20), [])
    records = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(r["image"], r["width"], r["height"], len(r["faces"])) for r in records] == [
        ("ä, b.jpg", 10, 20, 2), ("none.jpg", 10, 20, 0)
    ]  # fmt: skip
    table = list(csv.reader(io.StringIO(rows.getvalue())))
    assert table[0] == [*csv_header(KEYPOINT_NAMES), "time"]
    assert [row[-1] for row in table[1:]] == ["", ""]  # of still images
    assert [row[:5] for row in table[1:]] == [
        ["ä, b.jpg", "0", "0", "0.9877", "1.4"], ["ä, b.jpg", "0", "1", "0.9877", "1.4"]
    ]  # fmt: skip


def test_events_are_lines_of_json():
    lines = io.StringIO()
    tables = Tables(KEYPOINT_NAMES, None, None, events_file=lines)
    tables.write_events("film.mp4", [Event("blink", 1.00049, 1.2, {"depth": 0.98765}, 3)])
    assert json.loads(lines.getvalue()) == {
        "image": "film.mp4", "time": 1.0, "end": 1.2, "track": 3, "kind": "blink", "depth": 0.988,
    }  # fmt: skip
    Tables(KEYPOINT_NAMES, None, None).write_events("film.mp4", [Event("nod", 1.0, 2.0)])


def test_faces_are_measured_as_asked(sample, detect):
    faces, lines = detect(sample), {}
    for name, settings in (
        ("plain", None),
        ("frontal", TableContent(measuring=MeasureSettings(frontal=True))),
    ):
        lines[name] = io.StringIO()
        Tables(KEYPOINT_NAMES, lines[name], None, settings).write("a.jpg", (512, 512), faces)
    plain, frontal = (
        json.loads(text.getvalue())["faces"][0]["measures"] for text in lines.values()
    )
    assert plain["yaw_deg"] == frontal["yaw_deg"]
    assert plain["nose_length"]["value"] > frontal["nose_length"]["value"] + 0.03  # a bowed head


def test_frames_have_their_number_and_time(face):
    rows = io.StringIO()
    Tables(KEYPOINT_NAMES, None, rows).write("film.mp4", (10, 20), [face], 31, 1.2000049)
    (row,) = csv.DictReader(io.StringIO(rows.getvalue()))
    assert (row["frame"], row["time"]) == ("31", "1.2")


def test_every_image_is_flushed(paths, face):
    with open_tables(KEYPOINT_NAMES, paths, []) as tables:
        tables.write("a.jpg", (10, 20), [face])
        for path, count in ((paths.json, 1), (paths.csv, 2)):
            with open(path, encoding="utf-8") as file:
                assert len(file.readlines()) == count


def test_existing_tables_are_replaced_or_continued_under_one_header(paths, face):
    for append, count in ((False, 1), (False, 1), (True, 2)):
        with open_tables(KEYPOINT_NAMES, paths, [], append) as tables:
            tables.write("a.jpg", (10, 20), [face])
        with open(paths.json, encoding="utf-8") as file:
            assert len(file.readlines()) == count
        with open(paths.csv, encoding="utf-8") as file:
            assert len(file.readlines()) == 1 + count


def test_a_hyphen_is_standard_output(face, capsys):
    with open_tables(KEYPOINT_NAMES, TablePaths(json="-"), []) as tables:
        tables.write("a.jpg", (10, 20), [face])
    assert json.loads(capsys.readouterr().out)["image"] == "a.jpg"


def test_table_paths_know_files_from_standard_output():
    assert TablePaths("a.jsonl", "-").files == ["a.jsonl"]
    assert TablePaths("a.jsonl", "-").use_stdout
    assert not TablePaths("a.jsonl", None).use_stdout


def test_names_that_are_not_valid_text_are_the_same_valid_text_in_both_tables(paths, face):
    names = {
        os.fsdecode(b"bad\xff.jpg"): r"bad\udcff.jpg",
        r"bad\udcff.jpg": r"bad\\udcff.jpg",
        os.fsdecode(b"bad\\\xff.jpg"): r"bad\\\udcff.jpg",
        r"c:\users\x12.jpg": r"c:\users\x12.jpg",
    }
    with open_tables(KEYPOINT_NAMES, paths, []) as tables:
        for name in names:
            tables.write(name, (10, 20), [face])
    with open(paths.json, encoding="utf-8") as file:
        images = [json.loads(line)["image"] for line in file]
    with open(paths.csv, encoding="utf-8", newline="") as file:
        assert [row["image"] for row in csv.DictReader(file)] == images == list(names.values())
    "".join(images).encode()  # no reader of JSON refuses it


@pytest.mark.parametrize("link", [False, True])
def test_a_table_over_an_input_is_refused(link, tmp_path):
    image = tmp_path / "a.jpg"
    image.write_bytes(b"image")
    target = image
    if link:
        target = tmp_path / "b.jsonl"
        os.link(image, target)
    with (
        pytest.raises(SourceError, match=f"{target.name}: is another input or output"),
        open_tables(KEYPOINT_NAMES, TablePaths(str(target)), [str(image)]),
    ):
        pass
    assert image.read_bytes() == b"image"


def test_both_tables_in_one_file_are_refused(tmp_path):
    path = str(tmp_path / "f.txt")
    with (
        pytest.raises(SourceError, match="is another input or output"),
        open_tables(KEYPOINT_NAMES, TablePaths(path, path), []),
    ):
        pass


def test_a_file_that_cannot_be_written_is_an_error(tmp_path):
    with (
        pytest.raises(SourceError, match="cannot be written"),
        open_tables(KEYPOINT_NAMES, TablePaths(str(tmp_path)), []),
    ):
        pass


@pytest.mark.parametrize("encoding", ["ascii", "cp1251", "utf-8"])
def test_names_on_standard_output_are_whole_in_any_encoding(face, monkeypatch, encoding):
    names = ["caf\u00e9 \u00d7.jpg", "\udcff.jpg", "\u4e2d.jpg"]
    for form in ("json", "csv"):
        stream = io.TextIOWrapper(io.BytesIO(), encoding)
        monkeypatch.setattr(sys, "stdout", stream)
        make_streams_readable()
        with open_tables(KEYPOINT_NAMES, TablePaths(**{form: "-"}), []) as tables:
            for name in names:
                tables.write(name, (9, 9), [face])
        text = stream.buffer.getvalue().decode(encoding)
        if form == "json":
            written = [json.loads(line)["image"] for line in text.splitlines()]
            assert [read_name(name) for name in written] == names
        else:
            rows = list(csv.reader(text.splitlines()))[1:]
            assert [read_name(row[0], encoding) for row in rows] == names
