from pathlib import Path

import pytest

from benchmarks import run
from benchmarks.harness.timing import FULL, QUICK
from benchmarks.latency.scenarios import Plan


def test_a_missing_model_is_one_line(tmp_path, capsys):
    pytest.importorskip("onnx")
    assert run.main([str(tmp_path / "none.onnx")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_peers_need_data(capsys):
    with pytest.raises(SystemExit, match="2"):
        run.main(["--peers"])
    assert "--peers needs --data" in capsys.readouterr().err


def test_two_models_of_one_name_are_a_usage_error(capsys):
    with pytest.raises(SystemExit, match="2"):
        run.main(["a/k.onnx", "b/k.onnx"])
    assert "two models have the same name" in capsys.readouterr().err


def test_arguments_select_what_is_measured(monkeypatch):
    plans = []
    monkeypatch.setattr(run, "measure", plans.append)
    run.run(run.parse_args([]))
    run.run(
        run.parse_args(
            ["k.onnx", "--quick", "--data", "d", "--peers", "--home", "h", "--yunet", "y.onnx"]
        )
    )
    assert [path.name for path in plans[0].models] == [
        "keypoints.onnx", "keypoints.int8.onnx", "keypoints-small.onnx", "keypoints-small.int8.onnx"
    ]  # fmt: skip
    assert (plans[0].length, plans[0].data, plans[0].peers) == (FULL, None, None)
    assert plans[1] == Plan(
        (Path("k.onnx"),), QUICK, Path("d"), Path("h"), {"yunet": Path("y.onnx")}
    )
