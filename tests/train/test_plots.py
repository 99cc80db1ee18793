import numpy as np
import pytest
from PIL import Image

pytest.importorskip("matplotlib")

from train.plots import plot_cumulative, plot_history, side_of


def test_the_side_of_a_keypoint_is_the_subjects():
    names = ("left_eye_center", "mouth_right_corner", "nose_tip")
    assert [side_of(name) for name in names] == ["left", "right", "middle"]


def test_the_learning_curve_of_a_run_is_drawn(tmp_path):
    text = "epoch,learning_rate,rmse,val_rmse\n1,0.1,9,8\n2,0.1,5,4\n"
    (tmp_path / "history.csv").write_text(text)
    plot_history(tmp_path)
    with Image.open(tmp_path / "learning_curve.png") as image:
        assert image.size == (770, 495)  # 7 × 4.5 inches at 110 dots per inch
        assert np.asarray(image.convert("L")).std() > 5


def test_unlabelled_faces_are_left_out_of_the_cumulative_errors(tmp_path):
    errors = np.array([1.0, 2.0, 3.0])
    plot_cumulative({"all": errors}, tmp_path / "without.png")
    plot_cumulative({"all": np.append(errors, np.nan)}, tmp_path / "with.png")
    without, with_nan = (np.asarray(Image.open(tmp_path / f"{n}.png")) for n in ("without", "with"))
    np.testing.assert_array_equal(without, with_nan)
