import json

import pytest

from edge.errors import SourceError
from edge.keypoints import KEYPOINT_NAMES
from edge.records import csv_header
from edge.run.resume import cut_back

HEADER = ",".join(csv_header(KEYPOINT_NAMES))
REST = "," + ",".join(["1"] * (len(csv_header(KEYPOINT_NAMES)) - 1))


@pytest.fixture
def tables(tmp_path):
    """Of a, b and c, the last cut off while its line was written."""
    lines = [json.dumps({"image": name, "faces": [{}] * count})
             for name, count in (("a", 2), ("b", 1))]  # fmt: skip
    (tmp_path / "f.jsonl").write_text("\n".join(lines) + '\n{"image": "c", "fa')
    (tmp_path / "f.csv").write_text(f"{HEADER}\na{REST}\na{REST}\nb{REST}\nb,1,1")
    return str(tmp_path / "f.jsonl"), str(tmp_path / "f.csv")


def test_the_last_input_is_done_again_and_the_others_kept(tables):
    assert cut_back(*tables, "abc") == {"a"}
    with open(tables[0], encoding="utf-8") as file:
        assert [json.loads(line)["image"] for line in file] == ["a"]
    with open(tables[1], encoding="utf-8") as file:
        assert file.read() == f"{HEADER}\na{REST}\na{REST}\n"


def test_either_table_alone_is_enough(tables):
    assert cut_back(tables[0], None, "abc") == {"a"}
    assert cut_back(None, tables[1], "abc") == {"a"}


def test_of_a_video_all_frames_are_done_again(tmp_path):
    path = tmp_path / "f.jsonl"
    lines = [
        {"image": "a.jpg", "faces": []},
        *({"image": "film.mp4", "frame": i, "faces": [{}]} for i in range(3)),
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert cut_back(str(path), None, ["a.jpg", "film.mp4"]) == {"a.jpg"}
    assert path.read_text() == json.dumps(lines[0]) + "\n"


def test_what_is_not_there_is_a_new_run(tmp_path):
    assert cut_back(str(tmp_path / "f.jsonl"), str(tmp_path / "f.csv"), ["a"]) == set()
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_something_else_is_left_alone(tmp_path):
    other = tmp_path / "f.jsonl"
    other.write_text("dear diary\nand so on\n")
    with pytest.raises(SourceError, match="line 1 is no result"):
        cut_back(str(other), None, [])
    assert other.read_text().startswith("dear diary")
    other.write_text("name,age\nAnn,7\n")
    with pytest.raises(SourceError, match="no table of results"):
        cut_back(None, str(other), [])


@pytest.mark.parametrize("text", ['{"name": "settings"}', "no json", '{"image": 3\n'])
def test_a_file_that_is_not_ours_is_left_alone(text, tmp_path):
    path = tmp_path / "conf.json"
    path.write_text(text)
    with pytest.raises(SourceError, match="line 1 is no result"):
        cut_back(str(path), None, [])
    assert path.read_text() == text


def test_a_name_may_hold_what_other_alphabets_take_for_a_line_end(tmp_path):
    path = tmp_path / "out.jsonl"
    records = [
        json.dumps({"image": f"a\u2028{i}", "faces": []}, ensure_ascii=False) for i in range(3)
    ]
    path.write_text("".join(f"{record}\n" for record in records), encoding="utf-8")
    assert cut_back(str(path), None, []) == {"a\u20280", "a\u20281"}


def test_what_other_inputs_gave_is_kept(tables):
    assert cut_back(*tables, ["d"]) == {"a"}
    with open(tables[0], encoding="utf-8") as file:
        assert [json.loads(line)["image"] for line in file] == ["a", "b"]
    with open(tables[1], encoding="utf-8") as file:
        assert file.read().count("\n") == 4


def test_an_input_that_only_one_table_has_is_done_again(tables, tmp_path):
    """As when --csv is asked for only later."""
    lines = [json.dumps({"image": n, "faces": [{}] * c}) + "\n"
             for n, c in (("a", 1), ("b", 0), ("c", 1))]  # fmt: skip
    (tmp_path / "f.jsonl").write_text("".join(lines))
    assert cut_back(tables[0], str(tmp_path / "new.csv"), "abc") == {"b"}  # it has no faces
    assert (tmp_path / "f.jsonl").read_text() == lines[1]
