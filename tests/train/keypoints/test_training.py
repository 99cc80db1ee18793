import json

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("keras")

from edge.evaluation.metrics import rmse
from train.checkpoints import load
from train.run import main
from train.run_record import read_record


def test_a_finished_run_has_all_its_files(finished_run):
    names = {path.name for path in finished_run.iterdir()}
    assert names == {
        "run.json", "history.csv", "learning_curve.png", "best.keras", "last.keras",
        "model.keras", "calibration.npz", "validation.npz", "sets.json",
    }  # fmt: skip
    record = read_record(finished_run)
    assert record["recipe"]["epochs"] == 2
    assert record["rows"] == {"training": 20, "validation": 4}
    assert len(record["data_sha256"]["training.csv"]) == 64
    assert record["negatives"] == 0


def test_the_recorded_validation_error_is_that_of_the_saved_model(finished_run):
    with np.load(finished_run / "validation.npz") as validation:
        outputs = load(finished_run / "model.keras")(validation["faces"][..., None])
        expected = rmse(np.asarray(outputs["keypoints"]), validation["keypoints"])
    recorded = read_record(finished_run)["validation"]["rmse_px"]
    assert recorded == pytest.approx(expected, abs=1e-3)


def test_the_history_has_accuracy_and_rmse_of_every_epoch(finished_run):
    history = pd.read_csv(finished_run / "history.csv")
    assert history["epoch"].tolist() == [1, 2]
    assert {"loss", "rmse", "accuracy", "val_loss", "val_rmse", "val_accuracy"} <= set(history)
    # On validation, without dropout, the loss is the squared RMSE: both mask the same values.
    np.testing.assert_allclose(history["val_loss"], history["val_rmse"] ** 2, rtol=1e-3)


def test_the_model_fulfils_the_contract_of_edge(finished_run):
    with np.load(finished_run / "validation.npz") as validation:
        faces, keypoints = validation["faces"], validation["keypoints"]
    assert faces.shape == (4, 96, 96)
    assert keypoints.shape == (4, 15, 2)
    outputs = load(finished_run / "model.keras").predict(faces[..., None], verbose=0)
    assert outputs["keypoints"].shape == (4, 15, 2)
    assert outputs["error"].shape == (4, 15)
    assert (outputs["error"] > 0).all()
    assert outputs["face_score"].shape == (4,)
    assert ((outputs["face_score"] >= 0) & (outputs["face_score"] <= 1)).all()


def test_a_run_that_starts_from_another_has_the_same_validation_faces(
    finished_run, training_csv, tmp_path
):
    folder = tmp_path / "child"
    arguments = ["--data", str(training_csv), "-o", str(folder), "--epochs", "1", "--seed", "5"]
    assert main([*arguments, "--from", str(finished_run)]) == 0
    validation = [
        json.loads((f / "sets.json").read_text())["validation"] for f in (finished_run, folder)
    ]
    assert validation[0] == validation[1]
    assert "start_from" in read_record(folder)["data_sha256"]
    assert main([*arguments, "--resume"]) == 1  # without --from it is another run
