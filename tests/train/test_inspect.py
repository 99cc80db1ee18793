import numpy as np
import pytest
from PIL import Image

pytest.importorskip("matplotlib")

from tests.made_faces import make_faces, write_csv
from train.inspect import main


def test_pictures_and_table_show_what_the_file_holds(tmp_path, capsys):
    images, keypoints = make_faces(10)
    keypoints[:4, 10] = np.nan
    images[7] = images[2]
    path = write_csv(tmp_path / "training.csv", images, keypoints)
    assert main([str(path), "-o", str(tmp_path / "out")]) == 0
    lines = capsys.readouterr().out.splitlines()
    nose = next(line for line in lines if line.startswith("nose_tip")).split()
    assert nose[1:3] == ["6", "40.0%"]
    assert "10 faces, 6 with all 15 keypoints; " in lines[-2]
    for name in ("faces", "missing", "mean_face", "duplicates"):
        picture = np.asarray(Image.open(tmp_path / "out" / f"{name}.png").convert("RGB"))
        assert picture.shape[1] > 400
        assert picture.std() > 5


def test_missing_points_are_marked_in_red_on_the_sheet(tmp_path):
    images, keypoints = make_faces(8)
    for count, name in ((0, "whole"), (4, "gaps")):
        keypoints[:, :count] = np.nan
        path = write_csv(tmp_path / f"{name}.csv", images, keypoints)
        assert main([str(path), "-o", str(tmp_path / name)]) == 0

    def red(name):
        picture = np.asarray(Image.open(tmp_path / name / "faces.png").convert("RGB")).astype(int)
        return int(((picture[..., 0] > 180) & (picture[..., 1:].max(axis=2) < 60)).sum())

    assert red("gaps") > red("whole") + 8 * 4 * 4


def test_faces_are_shown_as_training_sees_them(tmp_path):
    path = write_csv(tmp_path / "training.csv", *make_faces(9))
    assert main([str(path), "-o", str(tmp_path), "--augmented", "shipped"]) == 0
    picture = np.asarray(Image.open(tmp_path / "augmented.png").convert("L"))
    assert min(picture.shape) > 400
    assert picture.std() > 20
