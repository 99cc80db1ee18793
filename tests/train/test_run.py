import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

pytest.importorskip("keras")

from tests.conftest import ROOT
from train.checkpoints import load
from train.run import main
from train.run_record import read_record


def test_a_run_leaves_all_it_promises(finished_run):
    names = {path.name for path in finished_run.iterdir()}
    assert names == {
        "run.json", "history.csv", "learning_curve.png", "best.keras", "last.keras",
        "model.keras", "calibration.npz", "validation.npz", "sets.json",
    }  # fmt: skip
    record = read_record(finished_run)
    assert record["recipe"]["epochs"] == 2
    assert record["rows"] == {"training": 20, "validation": 4}
    assert len(record["data_sha256"]["training.csv"]) == 64
    assert record["validation"]["rmse_px"] > 0
    with Image.open(finished_run / "learning_curve.png") as curve:
        assert curve.size[0] > 300


def test_the_history_has_accuracy_and_rmse_of_every_epoch(finished_run):
    history = pd.read_csv(finished_run / "history.csv")
    assert history["epoch"].tolist() == [1, 2]
    assert {"loss", "rmse", "accuracy", "val_loss", "val_rmse", "val_accuracy"} <= set(history)
    # On validation, without dropout, the loss is the squared RMSE: both mask the same values.
    np.testing.assert_allclose(history["val_loss"], history["val_rmse"] ** 2, rtol=1e-3)


def test_the_model_keeps_the_contract(finished_run):
    with np.load(finished_run / "validation.npz") as validation:
        faces, keypoints = validation["faces"], validation["keypoints"]
    assert faces.shape == (4, 96, 96)
    assert keypoints.shape == (4, 15, 2)
    found = load(finished_run / "model.keras").predict(faces[..., None], verbose=0)
    assert found["keypoints"].shape == (4, 15, 2)
    assert found["error"].shape == (4, 15)
    assert (found["error"] > 0).all()
    assert found["face_score"].shape == (4,)
    assert ((found["face_score"] >= 0) & (found["face_score"] <= 1)).all()


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


def test_a_run_begins_with_the_weights_of_another_and_holds_out_the_same_faces(
    finished_run, training_csv, tmp_path
):
    from train import checkpoints as fit
    from train.recipes import RECIPES

    network, _ = fit._start(RECIPES["reference"], 1, tmp_path, resume=False)
    fit.take_weights(network, finished_run / "model.keras")
    parent = fit.load(finished_run / "model.keras")
    for name in ("input_convolution", "prediction"):
        ours, theirs = (model.get_layer(name).get_weights() for model in (network, parent))
        np.testing.assert_array_equal(ours[0], theirs[0])

    folder = tmp_path / "child"
    arguments = ["--data", str(training_csv), "-o", str(folder), "--epochs", "1", "--seed", "5"]
    assert main([*arguments, "--from", str(finished_run)]) == 0
    held_out = [
        json.loads((f / "sets.json").read_text())["validation"] for f in (finished_run, folder)
    ]
    assert held_out[0] == held_out[1]
    assert "start_from" in read_record(folder)["data_sha256"]
    assert main([*arguments, "--resume"]) == 1  # a run that began otherwise is another run


def test_a_run_cannot_begin_with_another_network(training_csv, tmp_path, capsys):
    arguments = ["--data", str(training_csv), "-o", str(tmp_path / "run"), "--epochs", "1"]
    assert main([*arguments, "--from", str(ROOT / "export" / "models")]) == 1
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


def test_bad_data_is_one_line_and_exit_1(tmp_path, capsys):
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
def test_data_from_which_nothing_can_be_learnt_is_refused(
    count, unlabelled, message, tmp_path, capsys
):
    path = write_few(tmp_path / "few.csv", count, unlabelled)
    assert main(["--data", str(path), "-o", str(tmp_path / "run")]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_record_keeps_its_first_start_and_takes_the_same_data_by_another_name(tmp_path):
    from train.errors import RunError
    from train.run_record import continue_record

    first = {"recipe": {"seed": 1}, "data_sha256": {"a.csv": "1", "negatives": ""}, "commit": "x",
             "versions": {}, "rows": {"training": 5}}  # fmt: skip
    again = {**first, "data_sha256": {"b.csv": "1", "negatives": ""}, "commit": "y"}
    continued = continue_record(first, again, tmp_path)
    assert (continued["commit"], continued["rows"]) == ("x", {"training": 5})
    assert continued["resumed"] == [{"commit": "y", "versions": {}}]
    with pytest.raises(RunError, match="the negatives or the initial model"):
        continue_record(first, {**again, "data_sha256": {"a.csv": "1", "negatives": "2"}}, tmp_path)


def test_a_bad_photo_without_faces_is_one_line(training_csv, tmp_path, capsys):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "bad.jpg").write_text("no picture")
    arguments = ["--data", str(training_csv), "-o", str(tmp_path / "run")]
    assert main([*arguments, "--negatives", str(tmp_path / "photos")]) == 1
    assert "bad.jpg" in capsys.readouterr().err


def test_every_epoch_says_how_long_it_will_still_take(training_csv, tmp_path, capsys):
    arguments = ["--data", str(training_csv), "-o", str(tmp_path / "run"), "--epochs", "2"]
    assert main(arguments) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch ")]
    assert [line.split(":")[0] for line in lines] == ["epoch 1 of 2", "epoch 2 of 2"]
    assert lines[1].endswith("at most 0 min left")
