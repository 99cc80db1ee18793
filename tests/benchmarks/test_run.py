import json

import numpy as np
import pytest

from benchmarks.datasets.kaggle import measure_accuracy, read_annotated
from benchmarks.harness.timing import Amount
from benchmarks.latency import scenarios
from benchmarks.reporting.schema import check
from benchmarks.run import main
from edge.evaluation.metrics import rmse
from edge.networks.keypoint_model import EMBEDDED, KeypointModel
from edge.refinement import predict_crops
from tests.made_faces import make_faces, write_annotated

A_LITTLE = Amount(queries=3, seconds=0.0)


@pytest.fixture
def tables(tmp_path):
    images, keypoints = make_faces(5)
    return write_annotated(tmp_path, images, keypoints, asked=[30, 30, 30, 8, 8])


@pytest.fixture
def brief(monkeypatch):
    """What takes minutes, in a moment."""
    monkeypatch.setattr("benchmarks.run.QUICK", A_LITTLE)
    monkeypatch.setattr(scenarios, "_BATCHES", (1, 4))
    monkeypatch.setattr("benchmarks.harness.cold_start._STARTS", 1)
    monkeypatch.setattr("benchmarks.latency.roofline._PROFILED_RUNS", 10)


def test_accuracy_is_that_of_the_annotated_pictures(tables):
    model = KeypointModel(EMBEDDED)
    faces = read_annotated(*tables)
    images, keypoints = make_faces(5)
    np.testing.assert_array_equal(faces.images, images[::-1])
    results = measure_accuracy(model, faces)
    points = predict_crops(model, images)[0]
    assert results["asked > 8"]["faces"] == 3
    assert results["asked > 8"]["rmse_px"] == pytest.approx(
        rmse(points[:3], keypoints[:3]), abs=1e-3
    )
    nose = np.sqrt(((points - keypoints)[3:, 10] ** 2).mean())
    per_keypoint = results["asked = 8"]["rmse_px_per_keypoint"]
    assert per_keypoint["nose_tip"] == pytest.approx(nose, abs=1e-3)


@pytest.mark.slow
def test_results_keep_their_schema_and_hold_what_was_asked_for(brief, tmp_path, capsys):
    pytest.importorskip("onnx")
    pytest.importorskip("jsonschema")
    output = tmp_path / "results.json"
    assert main(["--quick", "-o", str(output)]) == 0
    results = json.loads(output.read_text())
    assert check(results) == ""
    names = ["keypoints.onnx", "keypoints.int8.onnx"]
    assert [row["model"] for row in results["models"]] == names
    assert all(row["multiply_adds"] > 20e6 for row in results["models"])
    alone = [row["what"] for row in results["single_stream"] if row["threads"] == 1]
    assert alone == [
        *names, "face.onnx, 320×240", "face.int8.onnx, 320×240", "face.onnx, 640×480",
        "face.int8.onnx, 640×480", *(f"photo, {name}" for name in names),
    ]  # fmt: skip
    assert all(row["runs"] == 3 for row in results["single_stream"])
    assert {row["batch"] for row in results["offline"]} == {1, 4}
    assert list(results["stages"]) == [
        "decode", "grey", "detect", "crop", "keypoints", "map back", "draw", "end to end"
    ]  # fmt: skip
    # Every multiply-add of the network is some operator's.
    for row in results["models"]:
        operators = results["layers"][row["model"]]
        assert sum(op["multiply_adds"] for op in operators) == row["multiply_adds"]
    assert [row["threads"] for row in results["auto"]] == sorted({1, results["machine"]["cores"]})
    assert results["peers"] == []
    assert "| keypoints.int8.onnx |" in capsys.readouterr().out


def test_a_missing_model_is_one_line(tmp_path, capsys):
    pytest.importorskip("onnx")
    assert main([str(tmp_path / "none.onnx")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_peers_need_data(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--peers"])
    assert "--peers needs --data" in capsys.readouterr().err
