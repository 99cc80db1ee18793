import json

import pytest

from benchmarks.harness.timing import RunLength
from benchmarks.latency import scenarios
from benchmarks.reporting.schema import validate
from benchmarks.run import main

SHORT = RunLength(queries=3, seconds=0.0)


@pytest.fixture
def brief(monkeypatch):
    """Shortens all measurements."""
    monkeypatch.setattr("benchmarks.run.QUICK", SHORT)
    monkeypatch.setattr(scenarios, "_BATCH_SIZES", (1, 4))
    monkeypatch.setattr("benchmarks.harness.cold_start._STARTS", 1)
    monkeypatch.setattr("benchmarks.latency.roofline._PROFILED_RUNS", 10)


@pytest.mark.slow
def test_results_satisfy_the_schema_and_have_every_scenario(brief, tmp_path, capsys):
    pytest.importorskip("onnx")
    pytest.importorskip("jsonschema")
    output = tmp_path / "results.json"
    assert main(["--quick", "-o", str(output)]) == 0
    results = json.loads(output.read_text())
    assert validate(results) == ""
    sizes = ("keypoints", "keypoints-small")
    names = [f"{size}{suffix}" for size in sizes for suffix in (".onnx", ".int8.onnx")]
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
    # The operators' multiply-adds sum up to the network's.
    for row in results["models"]:
        operators = results["layers"][row["model"]]
        assert sum(op["multiply_adds"] for op in operators) == row["multiply_adds"]
    assert [row["threads"] for row in results["auto"]] == sorted({1, results["machine"]["cores"]})
    assert results["peers"] == []
    assert "| keypoints.int8.onnx |" in capsys.readouterr().out


def test_the_short_length_is_a_sixteenth_of_the_queries_and_a_twentieth_of_the_time():
    plan = scenarios.Plan((), RunLength(1024, 60.0))
    assert plan.short_length == RunLength(64, 3.0)
    assert scenarios.Plan((), SHORT).short_length == RunLength(8, 0.0)
