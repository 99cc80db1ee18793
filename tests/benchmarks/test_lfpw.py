import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from benchmarks import lfpw
from benchmarks.lfpw import main
from edge.facekeypoints import FaceKeypoints
from edge.geometry.affine import invert, transform
from edge.geometry.face_frame import upright_matrix
from edge.keypoints import KEYPOINT_NAMES


@pytest.fixture
def data(tmp_path, sample):
    """One photo, labelled by the embedded network."""
    folder = tmp_path / "lfpw"
    folder.mkdir()
    Image.open(sample).convert("L").save(folder / "a.png")
    face = FaceKeypoints(precision="fp32")(folder / "a.png")[0]
    row = {
        "image": "a.png",
        "keypoints": dict(zip(KEYPOINT_NAMES, face.keypoints.tolist(), strict=True)),
        "points68": np.zeros((68, 2)).tolist(),
    }
    (folder / "annotations.jsonl").write_text(json.dumps(row) + "\n")
    return tmp_path


def test_the_network_that_labelled_the_photo_has_no_error(data, tmp_path, capsys):
    assert main([str(data), "-o", str(tmp_path / "out.json")]) == 0
    (row,) = json.loads((tmp_path / "out.json").read_text())["models"]
    assert row["found"] == 1
    assert row["error"] == pytest.approx(0, abs=0.01)
    assert set(row["inside"]) == set(KEYPOINT_NAMES)
    assert "68 points" in capsys.readouterr().out


def test_the_68_points_are_compared_in_the_upright_crop(data, tmp_path, monkeypatch):
    in_crop = np.random.default_rng(3).uniform(20, 80, (68, 2))
    in_crop[[36, 45]] = (28, 40), (68, 40)  # the outer eye corners, 40 px apart
    annotations = data / "lfpw" / "annotations.jsonl"
    row = json.loads(annotations.read_text())
    keypoints = FaceKeypoints(precision="fp32")(data / "lfpw" / "a.png")[0].keypoints
    row["points68"] = transform(invert(upright_matrix(keypoints, 96)), in_crop).tolist()
    annotations.write_text(json.dumps(row))

    class Session:
        def __init__(self, path, providers):
            pass

        def get_outputs(self):
            return [SimpleNamespace(name="points68")]

        def run(self, names, feeds):
            assert feeds["face"].shape == (1, 96, 96, 1)
            predicted = in_crop + np.array([3, 4])  # 5 px
            predicted[:17] = in_crop[:17] + np.array([6, 8])  # the jaw, 10 px
            return [predicted[None]]

    monkeypatch.setattr(lfpw, "onnxruntime", SimpleNamespace(InferenceSession=Session))
    assert main([str(data), "-o", str(tmp_path / "out.json")]) == 0
    (results,) = json.loads((tmp_path / "out.json").read_text())["models"]
    assert results["error68_jaw"] == pytest.approx(10 / 40, abs=1e-4)
    assert results["error68_rest"] == pytest.approx(5 / 40, abs=1e-4)
    assert results["error68"] == pytest.approx((17 * 10 + 51 * 5) / 68 / 40, abs=1e-4)


def test_a_photo_without_a_detected_face_is_one_line(data, capsys):
    Image.new("L", (512, 512), 90).save(data / "lfpw" / "a.png")
    assert main([str(data)]) == 1
    assert "none of the 1 annotated faces is detected" in capsys.readouterr().err


def test_missing_photos_are_one_line(tmp_path, capsys):
    assert main([str(tmp_path)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
