import json
import subprocess

import numpy as np
import pytest

pytest.importorskip("keras")

from tests.made_faces import make_faces, write_csv
from train.errors import RunError
from train.keypoints import quick
from train.run import main


@pytest.fixture
def kaggle(tmp_path):
    """60 faces with all keypoints, and 10 with the first four only, as in Kaggle's file."""
    images, keypoints = make_faces(70)
    keypoints[60:, 4:] = np.nan
    return write_csv(tmp_path / "training.csv", images, keypoints)


@pytest.mark.slow
def test_a_first_network_is_trained_exported_and_used(kaggle, tmp_path, capfd):
    pytest.importorskip("tensorflow")
    folder = tmp_path / "quick"
    assert main(["--quick", "--data", str(kaggle), "-o", str(folder), "--minutes", "0.02"]) == 0
    printed = capfd.readouterr()
    assert f"python -m edge.run PHOTO --model {folder / 'keypoints.onnx'}" in printed.out
    assert (folder / "keypoints.onnx").is_file()
    assert not (folder / "keypoints.int8.onnx").exists()
    assert (folder / "astronaut.keypoints.jpg").is_file()
    record = json.loads((folder / "run.json").read_text())
    assert record["recipe"]["name"] == "quick"
    assert record["recipe"]["minutes"] == 0.02
    assert sum(record["rows"].values()) == 60  # the incomplete faces are left out


def test_a_file_without_a_complete_face_is_an_error(tmp_path, capsys):
    images, keypoints = make_faces(12)
    keypoints[:, 4:] = np.nan
    path = write_csv(tmp_path / "training.csv", images, keypoints)
    assert main(["--quick", "--data", str(path), "-o", str(tmp_path / "run")]) == 1
    assert "training.csv: no face has all 15 keypoints" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--quick", "--recipe", "research"], "--quick does not go with --recipe research"),
        (["--recipe", "face", "--epochs", "1"], "--epochs does not apply to the recipe face"),
        (["--recipe", "research", "--teacher", "a"], "--teacher does not apply"),
        (["--quick", "--minutes", "0"], "--minutes must be positive"),
    ],
)
def test_options_that_contradict_each_other_are_a_usage_error(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*arguments, "--data", "a", "-o", "b"])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_a_step_that_fails_is_an_error_that_names_it(tmp_path, monkeypatch):
    commands = []

    def fail(command, env):
        commands.append(command)
        assert env["KERAS_BACKEND"] == "tensorflow"
        return subprocess.CompletedProcess(command, returncode=1)

    monkeypatch.setattr(quick.subprocess, "run", fail)
    with pytest.raises(RunError, match=r"python -m export\.run failed"):
        quick.export_and_predict(tmp_path)
    assert len(commands) == 1
