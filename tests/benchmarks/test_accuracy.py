import json
import zipfile

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnx")

from benchmarks.accuracy import main
from benchmarks.datasets.photos import Photo
from edge.facekeypoints import FaceKeypoints
from edge.keypoints import KEYPOINT_NAMES
from edge.networks.keypoint_model import EMBEDDED
from tests.made_faces import make_faces, write_annotated


@pytest.fixture(scope="module")
def detect():
    return FaceKeypoints()


@pytest.fixture
def photo(detect, sample):
    """The sample, annotated with the network's own prediction."""
    (face,) = detect.faces_at(sample, [[176.0, 65.6, 96.0, 96.0]])
    return Photo(np.asarray(Image.open(sample).convert("L")), face.keypoints)


@pytest.fixture
def data(tmp_path, photo):
    """A data folder as the command reads it."""
    images, keypoints = make_faces(4)
    for name in ("kaggle", "helen", "negatives"):
        (tmp_path / name).mkdir()
    annotated, pictures = write_annotated(tmp_path / "kaggle", images, keypoints, [30, 30, 8, 8])
    annotated.rename(annotated.with_name("test_annotated.csv"))
    Image.fromarray(photo.grey).save(tmp_path / "helen" / "a.png")
    points = dict(zip(KEYPOINT_NAMES, photo.keypoints.tolist(), strict=True))
    line = json.dumps({"image": "a.png", "keypoints": {**points, "nose_tip": None}})
    (tmp_path / "helen" / "annotations.jsonl").write_text(line)
    for i in range(5):
        Image.fromarray(np.full((60, 80), 40 * i, np.uint8)).save(
            tmp_path / "negatives" / f"{i}.jpg"
        )
    with zipfile.ZipFile(tmp_path / "kaggle" / "test.zip", "w") as archive:
        archive.write(pictures, "test.csv")
    return tmp_path


def test_every_number_is_in_the_results_and_the_table(data, tmp_path, capsys):
    output = tmp_path / "accuracy.json"
    assert main([str(data), str(EMBEDDED), "-o", str(output)]) == 0
    (row,) = json.loads(output.read_text())["models"]
    assert row["parameters"] > 1000
    assert row["kaggle"]["asked = 8"]["faces"] == 2
    assert row["helen"]["annotated square"]["found"] == 1
    # The offset of a single photo is its whole error.
    assert row["helen"]["annotated square"]["error"] == pytest.approx(0, abs=1e-4)
    assert row["helen"]["turned by 45°"]["error"] < 0.15
    assert row["helen"]["share_inside_error"]["all"] == 1
    assert 0 <= row["face_score"]["all"] <= 1
    assert set(row["turned"]) == {
        "-160°", "-130°", "-105°", "105°", "130°", "160°", "180°",
    }  # fmt: skip
    assert all(0 <= share <= 1 for share in row["turned"].values())
    assert row["eye_opening"] == {}  # helen's lids are not labelled here
    printed = capsys.readouterr().out
    assert "eye opening, difference (bias)" in printed
    assert "helen, 24 px wide" in printed


def test_missing_data_is_one_line(tmp_path, capsys):
    assert main([str(tmp_path)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
