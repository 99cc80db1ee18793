import json

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("keras")

from tests.conftest import ROOT
from train.run import main


def test_an_interrupted_run_resumes_to_the_same_end(
    finished_run, training_csv, tmp_path, monkeypatch
):
    from train.epoch_loop import Checkpoints

    folder = tmp_path / "interrupted"
    save = Checkpoints.on_epoch_end

    def save_then_interrupt(self, epoch, logs=None):
        save(self, epoch, logs)
        raise KeyboardInterrupt

    arguments = ["--data", str(training_csv), "-o", str(folder), "--epochs", "2"]
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "on_epoch_end", save_then_interrupt)
        assert main(arguments) == 130
    assert len(pd.read_csv(folder / "history.csv")) == 1
    assert not (folder / "model.keras").exists()
    assert main([*arguments, "--resume"]) == 0
    straight, resumed = (pd.read_csv(f / "history.csv") for f in (finished_run, folder))
    pd.testing.assert_frame_equal(straight, resumed, rtol=1e-4)


@pytest.mark.slow
def test_a_run_interrupted_in_its_face_score_continues_there(
    training_csv, tmp_path, monkeypatch, capsys
):
    from train.keypoints import score_training

    save = score_training._Checkpoint.save_if_due
    folder = tmp_path / "run"

    def save_then_interrupt(self, learner, step):
        save(self, learner, step)
        if step == 5:
            raise KeyboardInterrupt

    arguments = ["--data", str(training_csv), "-o", str(folder), "--epochs", "1"]
    monkeypatch.setattr(score_training, "_SAVE_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(score_training._Checkpoint, "save_if_due", save_then_interrupt)
        assert main(arguments) == 130
    with np.load(folder / "face_score.npz") as checkpoint:
        assert checkpoint["step"] == 5
    capsys.readouterr()
    assert main([*arguments, "--resume"]) == 0
    printed = capsys.readouterr().out
    assert "face_score: 100%, 0 s left" in printed
    assert "epoch" not in printed  # the keypoints are not trained again
    assert (folder / "model.keras").is_file()
    assert not (folder / "face_score.npz").exists()


def test_a_run_cannot_start_with_a_network_of_another_architecture(training_csv, tmp_path, capsys):
    arguments = ["--data", str(training_csv), "-o", str(tmp_path / "run"), "--epochs", "1"]
    assert main([*arguments, "--from", str(ROOT / "export" / "models" / "research")]) == 1
    assert "has another architecture than reference" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main([*arguments, "--from", str(tmp_path / "empty")]) == 1


def test_a_used_folder_is_not_overwritten(finished_run, training_csv, capsys):
    before = (finished_run / "run.json").read_text()
    assert main(["--data", str(training_csv), "-o", str(finished_run), "--epochs", "2"]) == 1
    assert "contains a run" in capsys.readouterr().err
    assert (finished_run / "run.json").read_text() == before


def test_a_run_is_not_resumed_with_other_settings(finished_run, training_csv, capsys):
    arguments = ["--data", str(training_csv), "-o", str(finished_run), "--resume", "--epochs", "3"]
    assert main(arguments) == 1
    assert "recipe has changed (epochs)" in capsys.readouterr().err
    assert json.loads((finished_run / "run.json").read_text())["recipe"]["epochs"] == 2


def test_a_missing_file_is_one_line_and_exit_1(tmp_path, capsys):
    assert main(["--data", str(tmp_path / "no.csv"), "-o", str(tmp_path / "run")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def write_few(path, count, unlabelled=None):
    from tests.made_faces import make_faces, write_csv

    images, keypoints = make_faces(count)
    if unlabelled is not None:
        keypoints[:, unlabelled] = np.nan
    return write_csv(path, images, keypoints)


@pytest.mark.parametrize(
    ("count", "unlabelled", "message"),
    [(1, None, "too few different faces"), (6, None, "too few"), (24, 10, "nose_tip has no label")],
)
def test_too_few_faces_or_labels_are_an_error(count, unlabelled, message, tmp_path, capsys):
    path = write_few(tmp_path / "few.csv", count, unlabelled)
    assert main(["--data", str(path), "-o", str(tmp_path / "run")]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_negative_that_is_not_an_image_is_an_error(training_csv, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "bad.jpg").write_text("not an image")
    arguments = ["--data", str(training_csv), "-o", str(tmp_path / "run")]
    assert main([*arguments, "--negatives", str(tmp_path / "photos")]) == 1
    assert "bad.jpg" in capsys.readouterr().err


def test_every_epoch_prints_the_remaining_time(training_csv, tmp_path, capsys):
    arguments = ["--data", str(training_csv), "-o", str(tmp_path / "run"), "--epochs", "2"]
    assert main(arguments) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch ")]
    assert [line.split(":")[0] for line in lines] == ["epoch 1 of 2", "epoch 2 of 2"]
    assert lines[1].endswith("at most 0 s left")


def test_a_detector_without_pytorch_is_an_error_of_one_line(monkeypatch, capsys):
    monkeypatch.setattr("train.run.find_spec", lambda name: None)
    assert main(["--recipe", "face", "--data", "x.npz", "-o", "run"]) == 1
    assert "needs PyTorch: pip install torch" in capsys.readouterr().err
