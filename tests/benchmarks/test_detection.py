import json
import shutil

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("cv2")
pytest.importorskip("onnx")

from benchmarks import detection
from benchmarks.datasets.sample import SAMPLE
from edge.facekeypoints import FaceKeypoints
from edge.image import load_grey
from edge.keypoints import KEYPOINT_NAMES
from edge.networks.face_detector import EMBEDDED


@pytest.fixture
def data(tmp_path):
    """Five photos of each set; the last, which is held out, has a face in facemask only."""
    grey = load_grey(SAMPLE)
    (face,) = FaceKeypoints(precision="fp32")(grey)
    for name in ("helen", "facemask", "negatives"):
        (tmp_path / name).mkdir()
    Image.fromarray(grey).save(tmp_path / "helen" / "a.png")
    points = dict(zip(KEYPOINT_NAMES, face.keypoints.tolist(), strict=True))
    line = json.dumps({"image": "a.png", "keypoints": points})
    (tmp_path / "helen" / "annotations.jsonl").write_text(line)
    Image.fromarray(grey).save(tmp_path / "facemask" / "a.png")
    line = json.dumps({"image": "a.png", "faces": [{"box": face.box.tolist()}]})
    (tmp_path / "facemask" / "annotations.jsonl").write_text("\n".join([line] * 5))
    for number in range(5):
        plain = Image.fromarray(np.full((60, 80), 40 * number, np.uint8))
        plain.save(tmp_path / "negatives" / f"{number}.jpg")
    shutil.copytree(tmp_path / "negatives", tmp_path / "permissive" / "no_face")
    return tmp_path


def test_detectors_are_measured_on_every_set_and_size(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(detection, "_ROUNDS", 2)
    output = tmp_path / "detection.json"
    assert detection.main([str(data), str(EMBEDDED), "-o", str(output)]) == 0
    results = json.loads(output.read_text())
    names = ["edge", "edge int8", "Haar default", "Haar alt2"]
    rows = [(row["detector"], row["detect_size"]) for row in results["detectors"]]
    assert rows == [(name, size) for size in (320, 640) for name in names]
    ours = results["detectors"][0]
    assert ours["helen"] == {"faces": 1, "found": 1}
    assert ours["facemask"] == {"faces": 1, "found": 1, "precision": 1}
    assert (ours["false_alarms_per_photo"], ours["false_alarms_no_face"]) == (0, 0)
    assert ours["small_faces"]["32"] == 1
    assert list(results["time"]) == ["320×240", "640×480"]
    assert list(results["time"]["320×240"]) == ["edge", "edge int8"]
    assert "| edge | 320 | 1 of 1 | 100.0% | 100.0% | 0.000 |" in (
        printed := capsys.readouterr().out
    )
    assert "edge, 320: 0.000 false alarms a picture of permissive/no_face" in printed


def test_missing_data_is_one_line(tmp_path, capsys):
    assert detection.main([str(tmp_path), str(EMBEDDED)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
