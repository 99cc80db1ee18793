import json

import numpy as np
import pytest

pytest.importorskip("keras")

from edge.networks.face_detector import EMBEDDED
from train.detector.photos import Photo, save_photos
from train.detector.proposals import cut_candidates, judge

NONE = np.empty((0, 4), np.float32)


def boxed(*boxes):
    return np.array(boxes, np.float32).reshape(-1, 4)


@pytest.fixture
def photo():
    """A face at the left, something doubtful at the right."""
    pixels = np.tile(np.arange(160, dtype=np.uint8), (120, 1))
    return Photo(pixels, boxed((20, 30, 40, 50)), boxed((110, 30, 40, 50)), "photos")


def test_a_box_is_a_faces_or_nobodys_or_in_doubt(photo):
    boxes = boxed((22, 31, 40, 50), (32, 40, 40, 50), (70, 80, 30, 30), (108, 30, 40, 50))
    right, wrong = judge(boxes, photo)
    assert right.tolist() == [True, False, False, False]
    assert wrong.tolist() == [False, False, True, False]
    right, wrong = judge(boxes, Photo(photo.pixels, NONE, NONE, "negatives"))
    assert not right.any()
    assert wrong.all()


def test_candidates_are_seen_as_the_network_sees_them_first_and_last(photo):
    class Model:
        size = 96

        def __call__(self, crops):
            points = np.tile(np.linspace(20, 76, 15, dtype=np.float32)[:, None], (1, 2))
            count = len(crops)
            return np.tile(points, (count, 1, 1)), np.ones((count, 15)), np.ones(count)

    def detector(pixels, size):
        return boxed((22, 31, 40, 50), (70, 80, 30, 30)), np.ones(2)

    faces, others = cut_candidates(detector, Model(), [photo])
    # Two sizes, two looks.
    assert (len(faces), len(others)) == (4, 4)
    np.testing.assert_array_equal(faces[0], faces[2])  # the same box at both sizes
    # The photo grows brighter to the right, and the first crop is upright.
    assert (np.diff(faces[0].astype(int), axis=1) >= 0).all()
    assert abs(int(faces[0][48, 48]) - 42) <= 1


@pytest.mark.slow
def test_only_the_face_score_of_a_run_is_taught_anew(finished_run, training_csv, photo, tmp_path):
    import keras
    from PIL import Image

    from export.run import main as export_main
    from train.score import main

    pytest.importorskip("tensorflow")
    assert export_main([str(finished_run), "-o", str(tmp_path / "old"), "--no-int8"]) == 0
    save_photos([Photo(photo.pixels, photo.boxes, photo.unsure, "lfpw")], tmp_path / "p.npz")
    (tmp_path / "negatives").mkdir()
    Image.fromarray(photo.pixels).save(tmp_path / "negatives" / "a.png")
    arguments = {
        "data": training_csv, "photos": tmp_path / "p.npz", "negatives": tmp_path / "negatives",
        "detector": EMBEDDED, "model": tmp_path / "old" / "keypoints.onnx",
    }  # fmt: skip
    flags = [str(part) for name, value in arguments.items() for part in (f"--{name}", value)]
    assert main([str(finished_run), *flags, "-o", str(tmp_path / "new")]) == 0
    crops = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 1)).astype(np.uint8)
    before, after = (
        keras.saving.load_model(folder / "model.keras", compile=False)(crops)
        for folder in (finished_run, tmp_path / "new")
    )
    for name in ("keypoints", "error"):
        np.testing.assert_array_equal(
            *(keras.ops.convert_to_numpy(x[name]) for x in (before, after))
        )
    scores = [keras.ops.convert_to_numpy(x["face_score"]) for x in (before, after)]
    assert np.abs(scores[0] - scores[1]).max() > 1e-4
    record = json.loads((tmp_path / "new" / "run.json").read_text())
    assert record["face_score"]["faces"] > 0
    assert export_main([str(tmp_path / "new"), "-o", str(tmp_path / "models")]) == 0


def test_a_folder_that_is_no_run_is_one_line(tmp_path, capsys):
    from train.score import main

    flags = [f"--{name}=x" for name in ("data", "photos", "negatives", "detector", "model")]
    assert main([str(tmp_path), *flags, "-o", str(tmp_path / "new")]) == 1
    assert "run.json is missing" in capsys.readouterr().err
