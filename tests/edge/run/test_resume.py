import json
from pathlib import Path

import numpy as np
import pytest

from edge.errors import SourceError
from edge.face import Face
from edge.keypoints import KEYPOINT_NAMES
from edge.records import csv_header
from edge.run.resume import drop_incomplete
from edge.run.tables import TablePaths, open_tables

HEADER = ",".join(csv_header(KEYPOINT_NAMES))
REST = "," + ",".join(["1"] * (len(csv_header(KEYPOINT_NAMES)) - 1))


@pytest.fixture
def tables(tmp_path):
    """Tables of a, b and c; writing was interrupted in the last line."""
    lines = [json.dumps({"image": name, "faces": [{}] * count})
             for name, count in (("a", 2), ("b", 1))]  # fmt: skip
    (tmp_path / "f.jsonl").write_text("\n".join(lines) + '\n{"image": "c", "fa')
    (tmp_path / "f.csv").write_text(f"{HEADER}\na{REST}\na{REST}\nb{REST}\nb,1,1")
    return TablePaths(str(tmp_path / "f.jsonl"), str(tmp_path / "f.csv"))


def test_the_last_inputs_are_dropped_and_the_others_kept(tables):
    assert drop_incomplete(tables, "abc") == {"a"}
    with open(tables.json, encoding="utf-8") as file:
        assert [json.loads(line)["image"] for line in file] == ["a"]
    with open(tables.csv, encoding="utf-8") as file:
        assert file.read() == f"{HEADER}\na{REST}\na{REST}\n"


def test_one_table_alone_is_enough(tables):
    assert drop_incomplete(TablePaths(json=tables.json), "abc") == {"a"}
    assert drop_incomplete(TablePaths(csv=tables.csv), "abc") == {"a"}


def test_all_frames_of_an_incomplete_video_are_dropped(tmp_path):
    path = tmp_path / "f.jsonl"
    lines = [
        {"image": "a.jpg", "faces": []},
        *({"image": "film.mp4", "frame": i, "faces": [{}]} for i in range(3)),
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert drop_incomplete(TablePaths(str(path)), ["a.jpg", "film.mp4"]) == {"a.jpg"}
    assert path.read_text() == json.dumps(lines[0]) + "\n"


def test_without_files_nothing_is_complete_and_nothing_created(tmp_path):
    paths = TablePaths(str(tmp_path / "f.jsonl"), str(tmp_path / "f.csv"))
    assert drop_incomplete(paths, ["a"]) == set()
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_program_is_an_error_and_unchanged(tmp_path):
    other = tmp_path / "f.jsonl"
    other.write_text("dear diary\nand so on\n")
    with pytest.raises(SourceError, match="line 1 is not a result"):
        drop_incomplete(TablePaths(str(other)), [])
    assert other.read_text().startswith("dear diary")
    other.write_text("name,age\nAnn,7\n")
    with pytest.raises(SourceError, match="is not a table of results"):
        drop_incomplete(TablePaths(csv=str(other)), [])


@pytest.mark.parametrize("text", ['{"name": "settings"}', "no json", '{"image": 3\n'])
def test_a_single_line_that_is_not_a_result_is_an_error_and_unchanged(text, tmp_path):
    path = tmp_path / "conf.json"
    path.write_text(text)
    with pytest.raises(SourceError, match="line 1 is not a result"):
        drop_incomplete(TablePaths(str(path)), [])
    assert path.read_text() == text


def test_a_line_separator_of_unicode_in_a_name_does_not_end_a_line(tmp_path):
    path = tmp_path / "out.jsonl"
    records = [
        json.dumps({"image": f"a\u2028{i}", "faces": []}, ensure_ascii=False) for i in range(3)
    ]
    path.write_text("".join(f"{record}\n" for record in records), encoding="utf-8")
    assert drop_incomplete(TablePaths(str(path)), ["a\u20280", "a\u20281", "b"]) == {
        "a\u20280", "a\u20281"
    }  # fmt: skip


def test_rows_of_images_that_are_not_inputs_of_this_run_are_kept(tables):
    assert drop_incomplete(tables, ["d"]) == set()
    with open(tables.json, encoding="utf-8") as file:
        assert [json.loads(line)["image"] for line in file] == ["a", "b"]
    with open(tables.csv, encoding="utf-8") as file:
        assert file.read().count("\n") == 4


def test_an_input_in_only_one_of_two_tables_is_dropped(tables, tmp_path):
    """For example when --csv is added to a resumed run."""
    paths = TablePaths(tables.json, str(tmp_path / "new.csv"))
    lines = [json.dumps({"image": n, "faces": [{}] * c}) + "\n"
             for n, c in (("a", 1), ("b", 0), ("c", 1))]  # fmt: skip
    (tmp_path / "f.jsonl").write_text("".join(lines))
    assert drop_incomplete(paths, "abc") == {"b"}  # which has no faces
    assert (tmp_path / "f.jsonl").read_text() == lines[1]


def test_a_table_with_other_columns_is_an_error_and_unchanged(tables):
    before = Path(tables.csv).read_text()
    columns = csv_header(KEYPOINT_NAMES, points68=True)
    with pytest.raises(SourceError, match=r"f\.csv: has 53 columns, and this run writes 189"):
        drop_incomplete(tables, "abc", columns)
    assert Path(tables.csv).read_text() == before
    assert drop_incomplete(tables, "abc", csv_header(KEYPOINT_NAMES)) == {"a"}


ODD_NAMES = (
    'a "quoted", name.jpg', "line\nend.jpg", "carriage\rreturn.jpg", "both\r\n.jpg", "\udcff.jpg",
    "caf\u00e9.jpg", "tab\t.jpg", "back\\slash.jpg", "'.jpg", '"', "\u2028.jpg", "\x85.jpg",
    ",.jpg", "\\udcff.jpg", "\\\udcff.jpg", "\\\\udcff.jpg", "\\\\\udcff.jpg",
)  # fmt: skip


def write_both(folder, names, faces=2):
    """Tables as a run writes them, with `faces` faces an image."""
    paths = TablePaths(str(folder / "f.jsonl"), str(folder / "f.csv"))
    found = [Face(np.ones(4), 0.5, np.ones((15, 2)), np.ones(15))] * faces
    with open_tables(KEYPOINT_NAMES, paths, [], append=True) as tables:
        for name in names:
            tables.write(name, (9, 9), found)
    return paths


@pytest.mark.parametrize("kept", ["both", "json", "csv"])
def test_images_of_any_name_are_complete_and_not_written_twice(tmp_path, kept):
    paths = write_both(tmp_path, [*ODD_NAMES, "last.jpg"])
    if kept != "both":
        paths = TablePaths(**{kept: getattr(paths, kept)})
    before = [Path(path).read_bytes() for path in paths.files]
    assert drop_incomplete(paths, [*ODD_NAMES, "last.jpg", "new.jpg"]) == set(ODD_NAMES)
    assert drop_incomplete(paths, ODD_NAMES) == set(ODD_NAMES) - {ODD_NAMES[-1]}
    for path, data in zip(paths.files, before, strict=True):
        assert data.startswith(Path(path).read_bytes())


def test_a_row_that_was_cut_off_within_a_name_of_several_lines_is_dropped(tmp_path):
    paths = write_both(tmp_path, ["a.jpg", "b\n\nc.jpg"], faces=1)
    whole = Path(paths.csv).read_bytes()
    for end in range(whole.index(b'"b'), len(whole)):
        Path(paths.csv).write_bytes(whole[:end])
        assert drop_incomplete(TablePaths(csv=paths.csv), ["a.jpg", "b\n\nc.jpg"]) == set()
        assert Path(paths.csv).read_bytes() == whole[: whole.index(b"a.jpg")]


def test_a_byte_and_the_text_that_it_is_written_as_are_two_files(tmp_path):
    names = ["\udcff.jpg", "\\udcff.jpg"]
    paths = write_both(tmp_path, [*names, "b.jpg"])
    assert drop_incomplete(paths, names) == set(names)
    (tmp_path / "other").mkdir()
    paths = write_both(tmp_path / "other", [names[0], "b.jpg"])
    assert drop_incomplete(paths, names) == {names[0]}
    with open(paths.json, encoding="utf-8") as file:
        assert [json.loads(line)["image"] for line in file] == [r"\udcff.jpg", "b.jpg"]


def test_a_table_that_is_no_csv_is_an_error(tmp_path):
    (tmp_path / "f.csv").write_bytes(b"image,frame\rx,y\n")
    with pytest.raises(SourceError, match="is not a table of results"):
        drop_incomplete(TablePaths(csv=str(tmp_path / "f.csv")), [])
