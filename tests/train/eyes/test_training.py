import json

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from edge.networks.eye_model import METADATA_KEYS, EyeModel
from export.run import main as export
from tests.made_faces import write_labelled_photos
from train.eyes.__main__ import main


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("eyes")
    data = write_labelled_photos(folder / "sets", 12)
    assert main([str(data), "-o", str(folder / "run"), "--epochs", "1", "--views", "2"]) == 0
    return folder / "run"


def test_a_run_is_recorded(run):
    record = json.loads((run / "run.json").read_text("utf-8"))
    assert record["kind"] == "eyes"
    assert record["recipe"]["views"] == 2
    assert set(record["data_sha256"]) == {"annotations.jsonl", "mesh.npz"}
    assert record["rows"] == {"training": 40, "validation": 8}


def test_the_exported_file_keeps_the_contract(run, tmp_path, capsys):
    assert export([str(run), "-o", str(tmp_path), "--license", "free"]) == 0
    assert "Keras and ONNX differ by at most 0.000" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["eyes.onnx"]
    model = EyeModel(tmp_path / "eyes.onnx")
    assert set(METADATA_KEYS) <= set(model.metadata)
    assert model.metadata["license"] == "free"
    assert (model(np.zeros((1, 32, 32), np.uint8)).error > 0).all()


def test_a_folder_is_not_used_twice(run, capsys):
    assert main([str(run.parent / "sets"), "-o", str(run)]) == 1
    assert "contains a run" in capsys.readouterr().err
