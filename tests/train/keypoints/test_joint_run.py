import dataclasses
import json

import keras
import numpy as np
import onnx
import pytest

from tests.made_faces import make_labelled_faces, write_labelled_photos
from train.data.labelled_faces import are_held_out
from train.errors import DataError
from train.keypoints.joint_run import split_held_out
from train.prepare import main as prepare
from train.recipes import JOINT_RECIPES
from train.run import main


@pytest.fixture
def small_recipe(monkeypatch):
    """`keypoints-small` with two batches of eight views."""
    recipe = JOINT_RECIPES["keypoints-small"]
    small = dataclasses.replace(recipe, samples=64, batch_size=8)
    monkeypatch.setitem(JOINT_RECIPES, "keypoints-small", small)


@pytest.fixture
def prepared(tmp_path):
    folder = write_labelled_photos(tmp_path / "sets", 20)
    assert prepare([str(folder), "--recipe", "keypoints", "-o", str(tmp_path / "faces.npz")]) == 0
    return tmp_path / "faces.npz"


def test_synthetic_faces_are_not_held_out_for_validation(rng):
    faces = make_labelled_faces(60, rng)
    faces.turned[::2] = True
    training, held_out = split_held_out(faces)
    mask = are_held_out(faces)
    assert len(training) == (~mask).sum()
    assert held_out.groups.tolist() == faces.groups[mask & ~faces.turned].tolist()


def test_too_few_different_faces_are_an_error(rng):
    with pytest.raises(DataError, match="too few different faces: 1 labelled for training and 0"):
        split_held_out(make_labelled_faces(1, rng))


@pytest.mark.slow
def test_a_run_is_prepared_trained_exported_and_used(
    small_recipe, prepared, tmp_path, capsys, sample
):
    from edge.facekeypoints import FaceKeypoints
    from export.run import main as export

    run, models = tmp_path / "run", tmp_path / "models"
    arguments = ["--data", str(prepared), "--recipe", "keypoints-small", "-o", str(run)]
    assert main([*arguments, "--minutes", "5"]) == 0
    assert "% of the eye distance" in capsys.readouterr().out
    record = json.loads((run / "run.json").read_text())
    assert record["validation"]["share_inside_error"] == pytest.approx(0.5, abs=0.1)
    assert set(keras.saving.load_model(run / "model.keras").output) == {
        "keypoints", "points68", "error", "face_score"}  # fmt: skip
    assert main([*arguments, "--resume"]) == 0  # a finished run is evaluated again
    assert export([str(run), "-o", str(models), "--no-int8"]) == 0
    metadata = {p.key: p.value for p in onnx.load(models / "keypoints-small.onnx").metadata_props}
    assert json.loads(metadata["error90"]) == record["error90"]
    detect = FaceKeypoints(model=models / "keypoints-small.onnx", min_score=0.0, max_faces=1)
    assert np.isfinite(detect(sample)[0].keypoints).all()


def test_missing_files_are_one_line(prepared, tmp_path, capsys):
    recipe = ["--recipe", "keypoints-small", "-o", str(tmp_path / "run")]
    for arguments, message in (
        (["--data", str(tmp_path / "no.npz")], "no.npz: no such file"),
        (["--data", str(prepared), "--teacher", "no.keras"], "no.keras: no such file"),
        (["--data", str(prepared), "--from", "no"], "network.keras: no such file"),
    ):
        assert main([*arguments, *recipe]) == 1
        err = capsys.readouterr().err
        assert message in err
        assert len(err.splitlines()) == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--recipe", "keypoints", "--epochs", "3"],
        ["--recipe", "keypoints", "--negatives", "photos"],
        ["--recipe", "keypoints", "--minutes", "0"],
        ["--teacher", "network.keras"],
        ["--recipe", "face", "--teacher", "network.keras"],
    ],
)
def test_options_that_do_not_apply_are_usage_errors(arguments, capsys):
    with pytest.raises(SystemExit) as exit_status:
        main(["--data", "faces.npz", "-o", "run", *arguments])
    assert exit_status.value.code == 2
    assert "--" in capsys.readouterr().err
