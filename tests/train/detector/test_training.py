import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

keras = pytest.importorskip("keras")
pytest.importorskip("cv2")
torch = pytest.importorskip("torch")

from tests.made_photos import bright_photo, empty_photo, grey_photo  # noqa: E402
from train import recipes  # noqa: E402
from train.detector.photo_file import save_photos  # noqa: E402
from train.run import main  # noqa: E402


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A file of a few photos of each kind, and a recipe that takes two steps."""
    tiny = replace(recipes.FACE_RECIPES["face"], canvases=8, batch_size=4)
    monkeypatch.setitem(recipes.FACE_RECIPES, "face", tiny)
    several = grey_photo("permissive", boxes=((10, 10, 20, 24), (60, 60, 30, 36)))
    masked = bright_photo("facemask", roll=np.nan)
    photos = [bright_photo("permissive")] * 3 + [several, masked] + [empty_photo()] * 3
    save_photos(photos, tmp_path / "photos.npz")
    return tmp_path / "photos.npz"


def test_a_trained_detector_is_exported_to_a_file_that_edge_opens(
    data, tmp_path, monkeypatch, capsys
):
    pytest.importorskip("onnx")
    import export.detector_graph
    from edge.networks.face_detector import FaceDetector
    from export.run import main as export_main

    monkeypatch.setattr(export.detector_graph, "MIN_SCORE", 0.0)  # after so few steps
    arguments = ["--recipe", "face", "--data", str(data), "-o", str(tmp_path / "run")]
    assert main(arguments) == 0
    assert "100%, 8 canvases" in capsys.readouterr().out
    assert export_main([str(tmp_path / "run"), "-o", str(tmp_path / "models")]) == 0
    detector = FaceDetector(tmp_path / "models" / "face.onnx")
    detections = detector(bright_photo().pixels)
    assert len(detections.boxes) == len(detections.scores) == len(detections.rolls) > 0
    model = (tmp_path / "run" / "model.keras").read_bytes()
    assert detector.metadata["sha256_keras"] == hashlib.sha256(model).hexdigest()
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (record["kind"], record["canvases"], record["photos"]) == ("detector", 8, 8)


def test_an_interrupted_run_continues_to_the_same_weights(data, tmp_path, monkeypatch):
    import train.detector.training as training

    arguments = ["--recipe", "face", "--data", str(data), "-o"]
    assert main([*arguments, str(tmp_path / "whole")]) == 0

    save = training._Loop._save

    def interrupt(loop):
        save(loop)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training, "_SAVE_SECONDS", -1.0)
        patch.setattr(training._Loop, "_save", interrupt)
        assert main([*arguments, str(tmp_path / "parts")]) == 130
    assert main([*arguments, str(tmp_path / "parts")]) == 1  # without --resume
    assert main([*arguments, str(tmp_path / "parts"), "--resume"]) == 0
    whole, parts = (
        keras.saving.load_model(tmp_path / run / "model.keras").get_weights()
        for run in ("whole", "parts")
    )
    for ours, theirs in zip(whole, parts, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_run_starts_with_the_weights_of_another_run(data, tmp_path, monkeypatch):
    still = replace(recipes.FACE_RECIPES["face"], learning_rate=0.0)
    monkeypatch.setitem(recipes.FACE_RECIPES, "face", still)
    arguments = ["--recipe", "face", "--data", str(data), "-o"]
    assert main([*arguments, str(tmp_path / "first"), "--seed", "1"]) == 0
    assert main([*arguments, str(tmp_path / "then"), "--from", str(tmp_path / "first")]) == 0
    first, then = (
        keras.saving.load_model(tmp_path / run / "model.keras").trainable_weights
        for run in ("first", "then")
    )
    for ours, theirs in zip(first, then, strict=True):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs), rtol=1e-6
        )
    record = json.loads((tmp_path / "then" / "run.json").read_text())
    assert len(record["data_sha256"]["start_from"]) == 64


def test_missing_sets_of_the_recipe_are_an_error_of_one_line(data, tmp_path, capsys):
    save_photos([bright_photo("facemask")] * 3, data)
    assert main(["--recipe", "face", "--data", str(data), "-o", str(tmp_path / "run")]) == 1
    assert "too few photos of permissive, facemask" in capsys.readouterr().err
