import csv

import numpy as np
import pytest

from benchmarks import submission
from edge.facekeypoints import FaceKeypoints
from edge.networks.keypoint_model import KeypointModel, Prediction
from tests.made_faces import COLUMNS, make_faces, write_annotated


def test_a_submission_has_the_values_of_the_lookup_table(tmp_path, capsys):
    images, keypoints = make_faces(3)
    _, pictures = write_annotated(tmp_path, images, keypoints, [30] * 3)
    lookup, output = tmp_path / "lookup.csv", tmp_path / "submission.csv"
    lookup.write_text(
        f"RowId,ImageId,FeatureName,Location\n1,0,{COLUMNS[0]},\n2,2,{COLUMNS[29]},\n"
    )
    assert submission.main([str(pictures), str(lookup), "-o", str(output)]) == 0
    rows = list(csv.DictReader(output.read_text().splitlines()))
    detect = FaceKeypoints(model=submission.RESEARCH, precision=None)
    points = detect.crops(images).keypoints.reshape(3, 30)
    assert [row["RowId"] for row in rows] == ["1", "2"]
    assert float(rows[0]["Location"]) == pytest.approx(points[0, 0], abs=1e-3)
    assert float(rows[1]["Location"]) == pytest.approx(points[2, 29], abs=1e-3)
    lookup.write_text("RowId,ImageId,FeatureName,Location\n1,77,nose_tip_x,\n")
    assert submission.main([str(pictures), str(lookup), "-o", str(output)]) == 1
    assert "77" in capsys.readouterr().err


def test_submitted_values_are_clipped_to_the_image(tmp_path, monkeypatch):
    def outside(self, faces, points68):
        points = np.full((len(faces), 15, 2), 300.0, np.float32)
        points[..., 1] = -5
        ones = np.ones((len(faces), 15), np.float32)
        return Prediction(points, ones, ones[:, 0])

    monkeypatch.setattr(KeypointModel, "__call__", outside)
    images, keypoints = make_faces(1)
    _, pictures = write_annotated(tmp_path, images, keypoints, [30])
    lookup, output = tmp_path / "lookup.csv", tmp_path / "submission.csv"
    rows = [f"{i},0,{name}," for i, name in enumerate(COLUMNS)]
    lookup.write_text("\n".join(["RowId,ImageId,FeatureName,Location", *rows]))
    assert submission.main([str(pictures), str(lookup), "-o", str(output)]) == 0
    assert {float(row["Location"]) for row in csv.DictReader(output.read_text().splitlines())} == {
        0.0,
        96.0,
    }
