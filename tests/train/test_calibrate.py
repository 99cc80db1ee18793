import json

import keras
import numpy as np
import pytest

from edge.cropped_faces import predict_crops
from edge.evaluation.metrics import inside
from edge.networks.keypoint_model import EMBEDDED, KeypointModel
from edge.networks.precision import int8_file
from tests.made_faces import make_faces
from tests.made_models import write_keypoint_model
from train.calibrate import main
from train.data.faces import Faces, save_faces
from train.keypoints.residual_network import SHAPES, residual, to_contract
from train.run_record import MODEL, RECORD


@pytest.fixture
def run_folder(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    to_contract(residual(SHAPES["small"], seed=2), np.ones(15)).save(folder / MODEL)
    (folder / RECORD).write_text(json.dumps({"recipe": {"name": "x"}, "data_sha256": {}}))
    return folder


@pytest.fixture
def data(tmp_path):
    images, keypoints = make_faces(60)
    ids = np.arange(60)
    names = np.array([str(i) for i in ids])
    path = tmp_path / "own.npz"
    save_faces(Faces(images, keypoints, ids, names, names), path)
    return path


@pytest.mark.slow
def test_the_radius_contains_half_of_the_points_afterwards(run_folder, data, tmp_path, capsys):
    for source, target in ((run_folder, "once"), (tmp_path / "once", "twice")):
        arguments = [str(source), "--data", str(data), "-o", str(tmp_path / target)]
        assert main([*arguments, "--keep-offsets"]) == 0
    record = json.loads((tmp_path / "twice" / RECORD).read_text())
    assert record["calibrated"]["share_inside_before"] == pytest.approx(0.5, abs=0.06)
    assert len(record["error90"]) == 15
    names = [layer.name for layer in keras.saving.load_model(tmp_path / "twice" / MODEL).layers]
    assert names.count("calibrated_error") == 1
    assert "error multiplied by" in capsys.readouterr().out


def test_a_model_without_an_error_is_an_error(run_folder, data, tmp_path, capsys):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(run_folder / MODEL)
    assert main([str(run_folder), "--data", str(data), "-o", str(tmp_path / "out")]) == 1
    assert "expected a keypoint network with the outputs" in capsys.readouterr().err


def test_too_few_faces_are_one_line(run_folder, data, tmp_path, capsys):
    with np.load(data) as arrays:
        few = {name: values[:5] for name, values in arrays.items()}
    np.savez(data, **few)
    assert main([str(run_folder), "--data", str(data), "-o", str(tmp_path / "out")]) == 1
    assert "at least 30" in capsys.readouterr().err


@pytest.fixture
def model(tmp_path):
    """A model file without a 90 % radius, with its int8 file."""
    path = tmp_path / "keypoints.onnx"
    write_keypoint_model(int8_file(path), error90=None, source=int8_file(EMBEDDED))
    return write_keypoint_model(path, error90=None)


def calibrate(model, data, folder):
    return main([str(model), "--data", str(data), "-o", str(folder), "--keep-offsets"])


def test_a_model_file_and_its_int8_file_are_calibrated(model, data, tmp_path, capsys):
    assert calibrate(model, data, tmp_path / "out") == 0
    images, keypoints = make_faces(60)
    for source in (model, int8_file(model)):
        copy = KeypointModel(tmp_path / "out" / source.name)
        before, after = (predict_crops(m, images, True) for m in (KeypointModel(source), copy))
        for name in ("keypoints", "face_score", "points68"):
            np.testing.assert_allclose(getattr(after, name), getattr(before, name), atol=1e-4)
        # Counterparts share a factor, so that each pair of columns has the share.
        shares = [
            inside(radius, after.keypoints, keypoints).mean()
            for radius in (after.error, after.error90)
        ]
        assert shares == pytest.approx([0.5, 0.9], abs=0.03)
        assert copy.metadata["sha256_keras"] == KeypointModel(source).metadata["sha256_keras"]
        calibrated = json.loads(copy.metadata["calibrated"])
        ratio = np.median(after.error / before.error, axis=0)
        np.testing.assert_allclose(calibrated["factor"], ratio, atol=2e-3)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_second_calibration_of_a_file_continues_the_first(model, data, tmp_path):
    for source, target in ((model, "once"), (tmp_path / "once" / model.name, "twice")):
        assert calibrate(source, data, tmp_path / target) == 0
    once, twice = (KeypointModel(tmp_path / name / model.name) for name in ("once", "twice"))
    calibrated = json.loads(twice.metadata["calibrated"])
    np.testing.assert_allclose(calibrated["factor"], np.ones(15), atol=1e-3)
    assert calibrated["share_inside_before"] == pytest.approx(0.5, abs=0.03)
    np.testing.assert_allclose(once.error90, twice.error90, rtol=2e-3)
    images, _ = make_faces(3)
    np.testing.assert_allclose(once(images).error, twice(images).error, rtol=2e-3)


def test_a_keypoint_without_labels_keeps_its_error_and_gets_a_90_percent_radius(
    model, data, tmp_path
):
    with np.load(data) as arrays:
        changed = dict(arrays)
    changed["keypoints"][:, 10] = np.nan  # nose tip
    np.savez(data, **changed)
    assert calibrate(model, data, tmp_path / "out") == 0
    copy = KeypointModel(tmp_path / "out" / model.name)
    assert json.loads(copy.metadata["calibrated"])["factor"][10] == 1
    assert copy.error90[10] == pytest.approx(np.median(np.delete(copy.error90, 10)), rel=2e-3)


def test_a_file_that_is_no_keypoint_model_is_one_line(model, data, tmp_path, capsys):
    (tmp_path / "empty.onnx").write_bytes(b"")
    wrong = [EMBEDDED.with_name("face.onnx"), tmp_path / "none.onnx", tmp_path / "empty.onnx"]
    for path in wrong:
        assert calibrate(path, data, tmp_path / "out") == 1
    assert calibrate(model, data, model.parent) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert "no such .onnx file, and no folder of a finished run" in lines[1]
    assert "is the model itself; choose another folder" in lines[3]
