import json

import numpy as np
import pytest

from benchmarks.evaluation.eye_opening import (
    measure_openings,
    openings29,
    openings68,
    read_points29,
)
from edge.face import Face

# Eyes 20 px wide: the right one 5 px open, the left one 10 px.
POINTS29 = np.zeros((1, 29, 2))
POINTS29[0, [8, 10, 12, 13]] = (10, 50), (30, 50), (20, 48), (20, 53)
POINTS29[0, [9, 11, 14, 15]] = (80, 50), (60, 50), (70, 45), (70, 55)


def points68(right, left):
    points = np.zeros((68, 2), np.float32)
    for corners, upper, lower, x, opening in (
        ((36, 39), (37, 38), (41, 40), (10, 30), right),
        ((45, 42), (44, 43), (46, 47), (80, 60), left),
    ):
        points[list(corners)] = (x[0], 50), (x[1], 50)
        for row, y in ((upper, 50 - opening / 2), (lower, 50 + opening / 2)):
            points[list(row), 0] = np.linspace(*x, 4)[1:3]
            points[list(row), 1] = y
    return points


def make_face(points):
    return Face(np.zeros(4), 0.9, np.zeros((15, 2)), np.zeros(15), points68=points)


def test_openings_are_in_widths_of_the_eye():
    np.testing.assert_allclose(openings29(POINTS29), [[0.25, 0.5]])
    np.testing.assert_allclose(openings68(points68(4, 12)[None]), [[0.2, 0.6]], rtol=1e-6)


def test_the_difference_and_the_bias_are_means_over_eyes_that_were_found():
    faces = [make_face(points68(4, 12)), None]
    measured = measure_openings(faces, np.concatenate([POINTS29, POINTS29]))
    assert measured == {
        "eyes": 2,
        "mean": 0.375,
        "difference": pytest.approx(0.075, abs=1e-4),  # 0.05 and 0.1
        "bias": pytest.approx(0.025, abs=1e-4),
    }


def test_without_68_points_there_is_nothing_to_measure():
    assert measure_openings([make_face(None), None], np.concatenate([POINTS29, POINTS29])) == {}
    assert measure_openings([make_face(points68(4, 12))], np.full((1, 29, 2), np.nan)) == {}


def test_the_labels_are_read_in_order(tmp_path):
    rows = [{"points29": (POINTS29[0] + i).tolist()} for i in range(2)]
    (tmp_path / "annotations.jsonl").write_text("\n".join(map(json.dumps, [*rows, {}])))
    read = read_points29(tmp_path)
    np.testing.assert_array_equal(read[:2, 8], [[10, 50], [11, 51]])
    assert np.isnan(read[2]).all()
