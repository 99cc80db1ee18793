import json

import numpy as np
import pytest
from PIL import Image

from benchmarks import lfpw
from benchmarks.comparison.worker import SCHEME_68
from benchmarks.lfpw import main
from edge.facekeypoints import FaceKeypoints
from edge.keypoints import KEYPOINT_NAMES
from tests.made_models import write_keypoint_model

pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network whose 68 points repeat its keypoints."""
    return write_keypoint_model(tmp_path_factory.mktemp("model") / "keypoints.onnx")


@pytest.fixture
def face(sample, model):
    """What that network predicts on the photo of `data`."""
    grey = np.asarray(Image.open(sample).convert("L"))
    return FaceKeypoints(model=model, precision="fp32", points68=True)(grey)[0]


@pytest.fixture
def data(tmp_path, sample, face):
    """One photo, labelled by the network."""
    folder = tmp_path / "lfpw"
    folder.mkdir()
    Image.open(sample).convert("L").save(folder / "a.png")
    write_labels(tmp_path, face.keypoints, face.points68)
    return tmp_path


def write_labels(data, keypoints, points68):
    row = {
        "image": "a.png",
        "keypoints": dict(zip(KEYPOINT_NAMES, keypoints.tolist(), strict=True)),
        "points68": points68.tolist(),
    }
    (data / "lfpw" / "annotations.jsonl").write_text(json.dumps(row) + "\n")


def test_the_network_that_labelled_the_photo_has_no_error(data, model, tmp_path, capsys):
    assert main([str(data), str(model), "-o", str(tmp_path / "out.json")]) == 0
    (row,) = json.loads((tmp_path / "out.json").read_text())["models"]
    assert row["found"] == 1
    assert row["error"] == pytest.approx(0, abs=1e-4)
    assert row["error68"] == pytest.approx(0, abs=1e-4)
    assert set(row["inside"]) == set(row["inside90"]) == set(KEYPOINT_NAMES)
    assert row["common"]["error68"] == row["error68"]
    assert "68 points" in capsys.readouterr().out


def test_a_model_without_68_points_has_none_and_says_so(data, tmp_path, capsys):
    plain = write_keypoint_model(tmp_path / "plain.onnx", points68=False, error90=None)
    assert main([str(data), str(plain), "-o", str(tmp_path / "out.json")]) == 0
    (row,) = json.loads((tmp_path / "out.json").read_text())["models"]
    assert "error68" not in row
    assert "inside90" not in row
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].endswith("| – | – | – | – | – |")
    assert lines[-1].startswith("| mouth_center_bottom_lip | ")
    assert lines[-1].endswith("/ – |")


def test_the_68_points_are_those_of_the_found_face(data, model, face, tmp_path):
    width = np.linalg.norm(face.points68[36] - face.points68[45])
    moved = face.points68 + np.float32([3, 4])  # 5 px
    moved[:17] += np.float32([3, 4])  # the jaw, 10 px
    moved[[36, 45]] = face.points68[[36, 45]]  # the unit is the labels' own eye corners
    write_labels(data, face.keypoints, moved)
    assert main([str(data), str(model), "-o", str(tmp_path / "out.json")]) == 0
    (row,) = json.loads((tmp_path / "out.json").read_text())["models"]
    assert row["error68_jaw"] == pytest.approx(10 / width, abs=1e-4)
    assert row["error68_rest"] == pytest.approx(5 / width * 49 / 51, abs=1e-4)
    assert row["error68_mouth"] == pytest.approx(5 / width, abs=1e-4)
    assert row["error68"] == pytest.approx((17 * 10 + 49 * 5) / 68 / width, abs=1e-4)


def test_peers_are_measured_on_the_same_photos(data, model, face, tmp_path, monkeypatch, capsys):
    labels68 = np.zeros((68, 2))
    for indices, keypoint in zip(SCHEME_68, face.keypoints, strict=True):
        labels68[list(indices)] = keypoint  # eyes first, and then their corners
    write_labels(data, face.keypoints, labels68)
    far = np.full((68, 2), 5.0)
    answers = {"dlib, 68 points": [[far, labels68 + np.array([3, 4])]]}

    def predict_points(peer, home, images):
        assert [image.shape for image in images] == [(512, 512, 3)]
        return answers.get(peer.name, "not installed")

    monkeypatch.setattr(lfpw, "predict_points", predict_points)
    assert main([str(data), str(model), "--peers", "-o", str(tmp_path / "out.json")]) == 0
    rows = {row["model"]: row for row in json.loads((tmp_path / "out.json").read_text())["models"]}
    assert rows["MediaPipe Face Mesh, refined"]["failure"] == "not installed"
    width = np.linalg.norm(labels68[36] - labels68[45])
    dlib = rows["dlib, 68 points"]
    assert dlib["error68"] == pytest.approx(5 / width, abs=1e-4)
    assert dlib["found"] == dlib["common"]["found"] == 1
    assert "inside" not in dlib
    assert "| MediaPipe Face Mesh, refined | not installed | –" in capsys.readouterr().out


def test_the_table_shows_shares_inside_both_radii():
    shares = dict.fromkeys(KEYPOINT_NAMES, 0.5)
    measured = {
        "model": "a/keypoints.onnx", "faces": 4, "found": 3, "error": 0.03, "error_raw": 0.04,
        "inside": shares, "inside90": {**shares, "nose_tip": 0.95}, "error68": 0.035,
        "error68_jaw": 0.05, "error68_rest": 0.03, "common": {"error": 0.02, "error68": 0.025},
    }  # fmt: skip
    lines = lfpw.table({"models": [measured]}).splitlines()
    assert "| nose_tip | 50% / 95% |" in lines
    assert lines[2] == (
        "| a/keypoints.onnx | 3 of 4 | 3.00% (4.00%) | 2.00% | 50% (50%–50%) | 53% (50%–95%) "
        "| 3.50% | 5.00% | 3.00% | 2.50% |"
    )


def test_a_photo_without_a_detected_face_is_one_line(data, capsys):
    Image.new("L", (512, 512), 90).save(data / "lfpw" / "a.png")
    assert main([str(data)]) == 1
    assert "none of the 1 annotated faces is detected" in capsys.readouterr().err


def test_missing_photos_are_one_line(tmp_path, capsys):
    assert main([str(tmp_path)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
