import numpy as np
import pytest

from benchmarks.visibility.__main__ import View, failures, main, summarise, table
from edge.keypoints import KEYPOINT_NAMES


def area(value, lost=0):
    return {"area": value, "area_clear": value, "lost": lost}


RESULTS = {
    "made": {
        "faces": 2,
        "views": 4,
        **area(0.97, 1),
        "kinds": {"hand": area(0.98, 1), "leaves": area(0.94), "cut off": area(None)},
        "keypoints": dict.fromkeys(KEYPOINT_NAMES, area(0.96)),
        "trained": area(0.98),
        "seen_as_hidden": 0.01,
        "hidden_as_seen": 0.05,
    },
    "masks": {
        "masked": 5, "unmasked": 3, "area": 0.99, "hidden_as_seen": 0.1, "seen_as_hidden": 0.02,
    },
    "false_hidden": {"helen": {"faces": 7, "keypoints": 0.03, "any": 0.1}},
}  # fmt: skip


def test_what_is_missed_is_named():
    assert failures(RESULTS) == [
        "leaves: the area under the curve is 0.94",
        "helen: 3.0% of the keypoints count as hidden",
    ]


def test_the_tables_have_a_row_per_kind_and_keypoint():
    lines = table(RESULTS).splitlines()
    assert "| leaves, never trained on | 0.940 | 0.940 | 0 |" in lines
    assert "| hand | 0.980 | 0.980 | 1 |" in lines
    assert "| cut off | – | – | 0 |" in lines
    assert "| `nose_tip` | 0.960 | 0.960 |" in lines
    assert "| helen, 7 faces as they are | all | – | – | 3.0% |" in lines


def test_areas_are_of_each_kind_and_keypoint():
    hidden = np.zeros((4, 15), bool)
    hidden[:2, 0] = True
    visible = np.full((4, 15), 0.9, np.float32)
    visible[:2, 0] = (0.1, 0.6)
    visible[2, 1] = 0.2
    is_clear = np.ones((4, 15), bool)
    is_clear[2, 1] = False
    kinds = ("hand", "leaves", "hand", "hand")
    views = [
        View(kind, *rows) for kind, *rows in zip(kinds, hidden, is_clear, visible, strict=True)
    ]
    views[3] = View("hand", hidden[3], is_clear[3], None)
    found = summarise(views)
    assert (found["views"], found["lost"]) == (4, 1)
    assert found["keypoints"]["left_eye_center"]["area"] == 1.0
    assert found["keypoints"]["right_eye_center"]["area"] is None
    assert found["kinds"]["hand"] == {"lost": 1, "area": 1.0, "area_clear": 1.0}
    assert found["untrained"]["area"] == found["trained"]["area_clear"] == 1.0
    assert found["area"] == pytest.approx(1 - 0.5 / 43, abs=1e-4)
    assert found["area_clear"] == 1.0
    assert found["hidden_as_seen"] == 0.5
    assert found["seen_as_hidden"] == pytest.approx(1 / 43, abs=1e-4)


def test_missing_data_are_one_line(tmp_path, capsys):
    assert main([str(tmp_path)]) == 1
    assert "annotations.jsonl" in capsys.readouterr().err
