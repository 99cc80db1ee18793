import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("cv2")

from tests.made_photos import bright_photo
from train.detector.photo_file import save_photos
from train.detector.training import split_photos


def test_every_twentieth_photo_is_for_validation():
    photos = [bright_photo(str(i)) for i in range(41)]
    training, validation = split_photos(photos)
    assert [photo.source for photo in validation] == ["0", "20", "40"]
    assert len(training) == 38


def test_a_trained_detector_is_exported_to_a_file_that_edge_opens(tmp_path, monkeypatch, capsys):
    import export.detector_graph
    import train.detector.training
    from edge.networks.face_detector import FaceDetector
    from export.run import main as export_main
    from train import recipes as recipe
    from train.run import main

    tiny = replace(recipe.FACE_RECIPES["face-research"], steps_per_epoch=1, batch_size=2, epochs=1)
    monkeypatch.setitem(recipe.FACE_RECIPES, "face-research", tiny)
    monkeypatch.setattr(train.detector.training, "_VALIDATION_CANVASES", 2)
    monkeypatch.setattr(export.detector_graph, "MIN_SCORE", 0.0)  # after so few steps
    photos = [bright_photo("lfpw") for _ in range(24)]
    save_photos(photos, tmp_path / "photos.npz")
    arguments = ["--recipe", "face-research", "--data", str(tmp_path / "photos.npz"), "-o"]
    assert main([*arguments, str(tmp_path / "run")]) == 0
    assert "validation loss" in capsys.readouterr().out
    assert main([*arguments, str(tmp_path / "run"), "--resume"]) == 0
    assert export_main([str(tmp_path / "run"), "-o", str(tmp_path / "models")]) == 0
    detector = FaceDetector(tmp_path / "models" / "face.onnx")
    detections = detector(photos[0].pixels)
    assert detections.boxes.shape == (len(detections.scores), 4)
    model = (tmp_path / "run" / "model.keras").read_bytes()
    assert detector.metadata["sha256_keras"] == hashlib.sha256(model).hexdigest()


def test_a_run_starts_with_the_weights_of_another_run(tmp_path, monkeypatch):
    import keras

    import train.detector.training
    from train import recipes as recipe
    from train.run import main

    tiny = replace(recipe.FACE_RECIPES["face-research"], steps_per_epoch=1, batch_size=2, epochs=1)
    tiny = replace(tiny, learning_rate=0.0)
    monkeypatch.setitem(recipe.FACE_RECIPES, "face-research", tiny)
    monkeypatch.setattr(train.detector.training, "_VALIDATION_CANVASES", 2)
    save_photos([bright_photo("lfpw") for _ in range(24)], tmp_path / "photos.npz")
    arguments = ["--recipe", "face-research", "--data", str(tmp_path / "photos.npz"), "-o"]
    assert main([*arguments, str(tmp_path / "first"), "--seed", "1"]) == 0
    assert main([*arguments, str(tmp_path / "then"), "--from", str(tmp_path / "first")]) == 0
    first, then = (
        keras.saving.load_model(tmp_path / run / "model.keras").trainable_weights
        for run in ("first", "then")
    )
    for ours, theirs in zip(first, then, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    record = json.loads((tmp_path / "then" / "run.json").read_text())
    assert len(record["data_sha256"]["start_from"]) == 64


def test_missing_sets_of_the_recipe_are_an_error_of_one_line(tmp_path, capsys):
    from train.run import main

    save_photos([bright_photo("others")] * 3, tmp_path / "photos.npz")
    arguments = ["--recipe", "face-research", "--data", str(tmp_path / "photos.npz")]
    assert main([*arguments, "-o", str(tmp_path / "run")]) == 1
    assert "too few photos of lfpw" in capsys.readouterr().err
