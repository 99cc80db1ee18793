import json

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from edge.keypoints import KEYPOINT_NAMES
from edge.networks.visibility_model import METADATA_KEYS, VisibilityModel
from export.run import main as export
from tests.made_faces import write_labelled_photos
from train.visibility.__main__ import main
from train.visibility.faces import masked_faces
from train.visibility.network import UNKNOWN
from train.visibility.training import validate
from train.visibility.views import Views


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = write_labelled_photos(tmp_path_factory.mktemp("visibility") / "sets", 16)
    path = folder / "facemask" / "annotations.jsonl"
    box = '{"box": [50, 60, 50, 60]'
    assert box in path.read_text()
    path.write_text(path.read_text().replace(box, f'{box}, "label": "with_mask"'))
    return folder


@pytest.fixture(scope="module")
def run(data):
    folder = data.parent / "run"
    assert main([str(data), "-o", str(folder), "--epochs", "1", "--covers", "2"]) == 0
    return folder


def test_a_run_is_recorded(run):
    record = json.loads((run / "run.json").read_text("utf-8"))
    assert record["kind"] == "visibility"
    assert record["recipe"]["covers"] == 2
    assert len(record["data_sha256"]) == 3
    assert set(record["validation"]["keypoints"]) == set(KEYPOINT_NAMES)


def test_the_exported_file_keeps_the_contract(run, tmp_path, capsys, rng):
    assert export([str(run), "-o", str(tmp_path), "--license", "free"]) == 0
    assert "Keras and ONNX differ by at most 0.000" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["visibility.onnx"]
    model = VisibilityModel(tmp_path / "visibility.onnx")
    assert set(METADATA_KEYS) <= set(model.metadata)
    assert model.metadata["license"] == "free"
    visible = model(rng.integers(0, 256, (9, 48, 48)).astype(np.uint8))
    assert visible.shape == (9, 15)
    assert ((visible > 0) & (visible < 1)).all()


def test_of_masked_faces_only_nose_and_mouth_are_known(data):
    faces = list(masked_faces(data / "facemask"))
    assert len(faces) == 4  # one of five photos is reserved, and each second box has no label
    for face in faces:
        hidden = {n for n, seen in zip(KEYPOINT_NAMES, face.seen, strict=True) if seen == 0}
        assert hidden == {"nose_tip", *(name for name in KEYPOINT_NAMES if "mouth" in name)}
        assert (face.seen == UNKNOWN).sum() == 10


class _Known:
    """Knows the first keypoint's visibility, and says of all others that they are seen."""

    def predict(self, crops, batch_size, verbose):
        logits = np.ones((len(crops), 15), np.float32)
        logits[:, 0] = np.where(crops[:, 0, 0, 0] > 0, 2.0, -2.0)
        return logits


def test_the_validation_is_by_kind_and_keypoint():
    crops = np.zeros((4, 48, 48), np.uint8)
    crops[:2] = 1
    seen = np.ones((4, 15), np.float32)
    seen[2:, 0] = 0
    seen[:, 1] = UNKNOWN
    found = validate(_Known(), Views(crops, seen, np.array(["photo", "hand", "hand", "mask"])))
    assert found["area"] == found["keypoints"]["left_eye_center"] == 1.0
    assert found["kinds"] == {"hand": 1.0, "mask": 1.0, "photo": None}
    assert found["keypoints"]["right_eye_center"] is None
    assert (found["accuracy"], found["false_hidden"]) == (1.0, 0.0)
