import json

import keras
import numpy as np
import pytest

from tests.made_faces import make_faces
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
