import numpy as np
import pytest
from PIL import Image

pytest.importorskip("matplotlib")

from tests.made_faces import make_faces, write_csv
from train.inspect import main


def test_plots_and_table_describe_the_training_file(tmp_path, capsys):
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
        image = np.asarray(Image.open(tmp_path / "out" / f"{name}.png").convert("RGB"))
        assert image.shape[1] > 400
        assert image.std() > 5


def test_missing_keypoints_are_marked_in_red(tmp_path):
    images, keypoints = make_faces(8)
    for count, name in ((0, "complete"), (4, "gaps")):
        keypoints[:, :count] = np.nan
        path = write_csv(tmp_path / f"{name}.csv", images, keypoints)
        assert main([str(path), "-o", str(tmp_path / name)]) == 0

    def red(name):
        image = np.asarray(Image.open(tmp_path / name / "faces.png").convert("RGB")).astype(int)
        return int(((image[..., 0] > 180) & (image[..., 1:].max(axis=2) < 60)).sum())

    assert red("gaps") > red("complete") + 8 * 4 * 4


def test_augmented_faces_are_plotted(tmp_path):
    path = write_csv(tmp_path / "training.csv", *make_faces(9))
    assert main([str(path), "-o", str(tmp_path), "--augmented", "research"]) == 0
    image = np.asarray(Image.open(tmp_path / "augmented.png").convert("L"))
    assert min(image.shape) > 400
    assert image.std() > 20
