import json

import numpy as np
import pytest

from benchmarks.kaggle import measure_accuracy, read_annotated
from benchmarks.latency import summarise
from benchmarks.run import main
from edge.looks import look_at_crops
from edge.metrics import rmse
from edge.model import EMBEDDED, KeypointModel
from tests.made_faces import make_faces, write_annotated


@pytest.fixture
def tables(tmp_path):
    images, keypoints = make_faces(5)
    return write_annotated(tmp_path, images, keypoints, asked=[30, 30, 30, 8, 8])


def test_latency_is_summed_up_by_percentiles():
    steady = summarise(np.linspace(1.0, 1.1, 101))
    assert (steady.runs, steady.median_ms, steady.min_ms) == (101, 1.05, 1.0)
    assert steady.p95_ms == pytest.approx(1.095)
    assert not steady.shaky
    assert summarise(np.linspace(1, 3, 101)).shaky


def test_accuracy_is_that_of_the_annotated_pictures(tables):
    model = KeypointModel(EMBEDDED)
    faces = read_annotated(*tables)
    images, keypoints = make_faces(5)
    np.testing.assert_array_equal(faces.images, images[::-1])
    results = measure_accuracy(model, faces)
    points = look_at_crops(model, images)[0]
    assert results["asked > 8"]["faces"] == 3
    assert results["asked > 8"]["rmse_px"] == pytest.approx(
        rmse(points[:3], keypoints[:3]), abs=1e-3
    )
    nose = np.sqrt(((points - keypoints)[3:, 10] ** 2).mean())
    per_keypoint = results["asked = 8"]["rmse_px_per_keypoint"]
    assert per_keypoint["nose_tip"] == pytest.approx(nose, abs=1e-3)


def test_results_hold_size_latency_accuracy_and_machine_of_each_model(tables, tmp_path, capsys):
    output = tmp_path / "results.json"
    annotated, pictures = map(str, tables)
    arguments = ["--annotated", annotated, "--images", pictures, "--runs", "5", "-o", str(output)]
    assert main(arguments) == 0
    results = json.loads(output.read_text())
    assert results["machine"]["threads"] == 1
    assert [row["model"] for row in results["models"]] == ["keypoints.onnx", "keypoints.int8.onnx"]
    for row in results["models"]:
        assert row["latency"]["runs"] == 5
        assert row["size_bytes"] > 1000
        assert row["accuracy"]["asked = 8"]["faces"] == 2
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_a_missing_model_is_one_line(tmp_path, capsys):
    assert main([str(tmp_path / "none.onnx")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
