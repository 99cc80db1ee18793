import json

import numpy as np
import pytest

from benchmarks import head_pose
from edge.geometry.head_shape import HEAD_MODES, MEAN_68


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    heads = MEAN_68 + np.tensordot(rng.normal(size=(12, len(HEAD_MODES))), HEAD_MODES, axes=1)
    expression = np.zeros((12, 2))
    expression[6:, 1] = 0.5
    np.savez(tmp_path / "heads.npz", keypoints=heads, expression=expression)
    return tmp_path


def test_heads_of_the_own_distribution_meet_the_limits(data, tmp_path, capsys):
    output = tmp_path / "results.json"
    head_pose.main([str(data), "-o", str(output)])
    results = json.loads(output.read_text("utf-8"))
    assert [(r["heads"], r["view"]) for r in results["rows"]] == [
        (group, view) for group in ("plain", "expressive") for view in head_pose.VIEWS
    ]
    for row in results["rows"]:
        for angle in head_pose.ANGLES:
            assert row["angles"][angle]["mean_error"] < 5
    assert results["portraits"] == {}
    printed = capsys.readouterr().out
    assert "| plain | exact | 0." in printed


def test_a_rotation_is_that_of_the_measured_angles():
    from edge.geometry.head_pose import head_pose as measured
    from edge.geometry.head_shape import MEAN_HEAD

    points = head_pose.project(MEAN_HEAD, head_pose.rotation(20, -35, 12), float("inf"))
    np.testing.assert_allclose(measured(points), (20, -35, 12), atol=0.01)


def test_limits_that_are_missed_are_named():
    angles = {
        "roll_deg": {"mean_error": 1.0, "bias": 0.0, "within": 0.5},
        "yaw_deg": {"mean_error": 3.5, "bias": 0.0, "within": 0.5},
        "pitch_deg": {"mean_error": 2.0, "bias": -1.5, "within": 0.3},
    }
    rows = [{"heads": "plain", "view": view, "angles": angles} for view in head_pose.VIEWS]
    lines = head_pose.failures({"rows": rows})
    assert lines[:2] == [
        "plain heads, exact: yaw_deg is off by 3.5° in the mean",
        "plain heads, exact: pitch_deg has a bias of -1.5°",
    ]
    assert lines[2:] == [
        f"{view}: the probable error of pitch_deg holds 30%" for view in head_pose.VIEWS
    ]


def test_missing_heads_are_one_line(tmp_path, capsys):
    assert head_pose.main([str(tmp_path)]) == 1
    assert "heads.npz" in capsys.readouterr().err
    np.savez(tmp_path / "heads.npz", keypoints=np.zeros((1, 15, 3)))
    assert head_pose.main([str(tmp_path)]) == 1
    assert "no " in capsys.readouterr().err
