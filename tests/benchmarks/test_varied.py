import json

import pytest
from PIL import Image

from benchmarks import varied
from benchmarks.varied import main
from edge.facekeypoints import FaceKeypoints
from edge.keypoints import KEYPOINT_NAMES
from edge.networks.keypoint_model import EMBEDDED


@pytest.fixture
def data(tmp_path, sample):
    """One photo, labelled by the embedded network."""
    folder = tmp_path / "varied"
    folder.mkdir()
    Image.open(sample).convert("L").save(folder / "a.png")
    (face,) = FaceKeypoints(precision="fp32", points68=True)(folder / "a.png")
    row = {
        "image": "a.png", "set": "made", "age": "26-45", "race": 0, "gender": 1,
        "teacher": dict(zip(KEYPOINT_NAMES, face.keypoints.tolist(), strict=True)),
        "teacher68": face.points68.tolist(),
    }  # fmt: skip
    (folder / "annotations.jsonl").write_text(json.dumps(row))
    return tmp_path


def test_the_network_that_labelled_the_photo_finds_it_at_no_distance(
    data, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(varied, "_MIN_FACES", 1)
    assert main([str(data), str(EMBEDDED), "-o", str(tmp_path / "out.json")]) == 0
    (row,) = json.loads((tmp_path / "out.json").read_text())["models"]
    for name in ("all", "set made", "age 26-45", "race 0", "gender 1"):
        assert row["groups"][name]["found"] == 1.0
        assert row["groups"][name]["distance"] == pytest.approx(0, abs=1e-5)
    out = capsys.readouterr().out
    assert "| age 26-45 | 1 | 100.0% |" in out
    assert "Cells of age, race and gender with at least 1 faces: 1;" in out


def test_too_few_faces_and_missing_data_are_one_line(data, tmp_path, capsys):
    assert main([str(data)]) == 1
    assert "no group of age, race and gender has 20 faces" in capsys.readouterr().err
    assert main([str(tmp_path / "none")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
