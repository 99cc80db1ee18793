import json
import shutil
from dataclasses import astuple, replace

import numpy as np
import onnx
import pytest

pytest.importorskip("tensorflow")

from edge.keypoints import KEYPOINT_NAMES
from edge.networks.keypoint_model import METADATA_KEYS, KeypointModel
from export import keypoint_comparison
from export.run import main


@pytest.fixture(scope="module")
def exported(finished_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    assert main([str(finished_run), "-o", str(folder)]) == 0
    return folder


@pytest.fixture
def run_copy(finished_run, tmp_path):
    return shutil.copytree(finished_run, tmp_path / "run")


def test_both_files_and_nothing_else_are_written(exported):
    assert sorted(p.name for p in exported.iterdir()) == ["keypoints.int8.onnx", "keypoints.onnx"]


@pytest.mark.parametrize(
    ("name", "tolerance_px"), [("keypoints.onnx", 0.01), ("keypoints.int8.onnx", 1.0)]
)
def test_the_exported_model_gives_the_results_of_keras(exported, finished_run, name, tolerance_px):
    import keras

    with np.load(finished_run / "validation.npz") as validation:
        faces = validation["faces"]
    expected = keras.saving.load_model(finished_run / "model.keras", compile=False)(
        faces[..., None]
    )
    points, error, score = KeypointModel(exported / name)(faces)
    np.testing.assert_allclose(points, expected["keypoints"], atol=tolerance_px)
    np.testing.assert_allclose(error, expected["error"], atol=tolerance_px)
    np.testing.assert_allclose(
        score, expected["face_score"], atol=0.001 if tolerance_px < 1 else 0.05
    )


@pytest.mark.parametrize("name", ["keypoints.onnx", "keypoints.int8.onnx"])
def test_the_file_has_the_contracts_metadata(exported, finished_run, name):
    model = onnx.load(exported / name)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert set(METADATA_KEYS) <= set(metadata)
    assert json.loads(metadata["keypoint_names"]) == list(KEYPOINT_NAMES)
    assert metadata["model_version"] == f"reference-{metadata['sha256_keras'][:8]}"
    assert json.loads(metadata["training_run"])["recipe"]["epochs"] == 2
    assert "training.csv" in json.loads(metadata["training_data"])
    assert max(o.version for o in model.opset_import if o.domain in ("", "ai.onnx")) >= 17


def test_int8_weights_are_in_qdq_form(exported):
    full, quantised = (exported / n for n in ("keypoints.onnx", "keypoints.int8.onnx"))
    assert quantised.stat().st_size < 0.35 * full.stat().st_size
    types = {node.op_type for node in onnx.load(quantised).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= types


def test_an_int8_model_that_loses_too_much_is_refused_and_nothing_written(
    finished_run, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(keypoint_comparison, "MAX_LOSS", -0.5)
    assert main([str(finished_run), "-o", str(tmp_path / "out")]) == 1
    assert "int8 RMSE" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


def test_a_model_that_differs_from_keras_is_refused(finished_run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(keypoint_comparison, "MAX_DIFFERENCE_PX", -1.0)
    assert main([str(finished_run), "-o", str(tmp_path / "out")]) == 1
    assert "differs from the Keras model" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ["model.keras", "run.json", "calibration.npz", "validation.npz"])
@pytest.mark.parametrize("damage", ["missing", "broken"])
def test_a_missing_or_broken_file_of_the_run_is_named(run_copy, tmp_path, capsys, name, damage):
    (run_copy / name).unlink()
    if damage == "broken":
        (run_copy / name).write_bytes(b"junk")
    assert main([str(run_copy), "-o", str(tmp_path / "out")]) == 1
    err = capsys.readouterr().err
    assert name in err
    assert len(err.splitlines()) == 1


def test_a_model_with_a_value_that_is_not_finite_is_refused(finished_run, exported, monkeypatch):
    from export.convert import load_keypoint_model
    from export.errors import ParityError
    from export.keypoint_comparison import FaceSet, check_parity

    def broken(self, faces):
        count = len(faces)
        error = np.full((count, 15), np.nan, np.float32)
        return np.zeros((count, 15, 2), np.float32), error, np.zeros(count, np.float32)

    with np.load(finished_run / "validation.npz") as validation:
        faces = FaceSet(validation["faces"], validation["keypoints"])
    monkeypatch.setattr(KeypointModel, "__call__", broken)
    with pytest.raises(ParityError, match="not finite"):
        check_parity(
            load_keypoint_model(finished_run / "model.keras"), exported / "keypoints.onnx", faces
        )


def test_an_old_int8_file_is_removed_when_a_new_model_is_written(finished_run, exported, tmp_path):
    shutil.copy(exported / "keypoints.int8.onnx", tmp_path)
    assert main([str(finished_run), "-o", str(tmp_path), "--no-int8"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["keypoints.onnx"]


def test_a_run_kept_without_images_is_exported_from_the_prepared_faces(tmp_path, capsys):
    from tests.made_faces import made_training_faces
    from train.data.faces import Faces, save_faces
    from train.run import main as train

    prepared, kept = tmp_path / "faces.npz", tmp_path / "kept"
    save_faces(made_training_faces(24), prepared)
    assert train(["--data", str(prepared), "-o", str(kept), "--epochs", "1"]) == 0
    whole = tmp_path / "whole"
    again = tmp_path / "again"
    assert main([str(kept), "-o", str(whole)]) == 0
    for name in ("calibration.npz", "validation.npz"):
        (kept / name).unlink()
    assert main([str(kept), "-o", str(again)]) == 1
    assert main([str(kept), "--faces", str(prepared), "-o", str(again)]) == 0
    faces = made_training_faces(3).images
    for name in ("keypoints.onnx", "keypoints.int8.onnx"):
        expected, actual = (KeypointModel(folder / name)(faces) for folder in (whole, again))
        for outputs in zip(actual, expected, strict=True):
            np.testing.assert_array_equal(*outputs)
    assert "another prepared file" not in capsys.readouterr().out
    faces = made_training_faces(24)
    more = [np.append(field, field[:1], axis=0) for field in astuple(faces)]
    more[2][-1] = 25  # the number of its row
    save_faces(Faces(*more), prepared)
    assert main([str(kept), "--faces", str(prepared), "-o", str(again)]) == 0
    assert "The faces are of another prepared file than the run's." in capsys.readouterr().out
    save_faces(replace(faces, images=255 - faces.images), prepared)
    assert main([str(kept), "--faces", str(prepared), "-o", str(again)]) == 1
    assert "are not those of the run" in capsys.readouterr().err
    save_faces(made_training_faces(3), prepared)
    assert main([str(kept), "--faces", str(prepared), "-o", str(again)]) == 1
    assert "lacks faces named in" in capsys.readouterr().err
    prepared.write_bytes(prepared.read_bytes()[:1000])
    assert main([str(kept), "--faces", str(prepared), "-o", str(again)]) == 1
    assert "lacks faces named in" in capsys.readouterr().err
