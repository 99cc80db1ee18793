import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("keras")

from edge.networks.face_detector import EMBEDDED
from tests.made_photos import boxed
from train.detector.photo_file import save_photos
from train.detector.photos import Photo


@pytest.fixture
def photo():
    """A face on the left and an ignored box on the right."""
    pixels = np.tile(np.arange(160, dtype=np.uint8), (120, 1))
    face, ignored = boxed((20, 30, 40, 50)), boxed((110, 30, 40, 50))
    return Photo(pixels, face, ignored, "photos", np.zeros(1, np.float32))


@pytest.mark.slow
def test_only_the_face_score_of_a_run_is_retrained(finished_run, training_csv, photo, tmp_path):
    import keras
    from PIL import Image

    from export.run import main as export_main
    from train.score import main

    pytest.importorskip("tensorflow")
    assert export_main([str(finished_run), "-o", str(tmp_path / "old"), "--no-int8"]) == 0
    save_photos([replace(photo, source="facemask")], tmp_path / "p.npz")
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


def test_a_folder_without_a_run_is_an_error_of_one_line(tmp_path, capsys):
    from train.score import main

    flags = [f"--{name}=x" for name in ("data", "photos", "negatives", "detector", "model")]
    assert main([str(tmp_path), *flags, "-o", str(tmp_path / "new")]) == 1
    assert "run.json is missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("record", "samples"),
    [
        ({"samples": 5000, "recipe": {"epochs": 90}, "rows": {"training": 100}}, 5000),
        ({"recipe": {"epochs": 90}, "rows": {"training": 100}}, 9000),  # of an earlier version
    ],
)
def test_the_length_of_a_run_is_read_from_its_record(record, samples, tmp_path):
    from train.score import _keypoint_samples

    assert _keypoint_samples(record, tmp_path) == samples


def test_a_record_without_the_length_is_an_error(tmp_path):
    from train.errors import RunError
    from train.score import _keypoint_samples

    with pytest.raises(RunError, match=r"run\.json does not say how long"):
        _keypoint_samples({"recipe": {"epochs": 90}}, tmp_path)


def test_an_interruption_says_how_to_continue(tmp_path, capsys, monkeypatch):
    from train import score

    def interrupt(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(score, "run", interrupt)
    flags = [f"--{name}=x" for name in ("data", "photos", "negatives", "detector", "model")]
    assert score.main([str(tmp_path), *flags, "-o", str(tmp_path / "new")]) == 130
    assert "start again with the same arguments" in capsys.readouterr().err


def test_a_keypoints_recipe_takes_random_views_and_permissive_photos(photo, tmp_path, monkeypatch):
    from argparse import Namespace

    from tests.made_faces import make_labelled_faces
    from train import score
    from train.data.labelled_faces import save_labelled
    from train.recipes import JOINT_RECIPES

    monkeypatch.setattr(score, "_VIEWS", 60)
    monkeypatch.setattr(score, "_VIEWS_AT_ONCE", 30)
    monkeypatch.setattr(score, "_NOISE", 5)
    save_labelled(make_labelled_faces(40, np.random.default_rng(0)), tmp_path / "faces.npz")
    sources = ("permissive", "lfpw", "no_face", "negatives")
    photos = [replace(photo, source=name) for name in sources]
    save_photos(photos, tmp_path / "photos.npz")
    args = Namespace(data=tmp_path / "faces.npz", photos=tmp_path / "photos.npz")
    (faces, background), kept = score._read_labelled(args, JOINT_RECIPES["keypoints"])
    assert [each.source for each in kept] == ["permissive", "no_face"]
    assert faces.shape[1:] == background.shape[1:] == (96, 96)
    # Among views of faces alone, those rotated too far and parts of faces are negatives.
    assert len(faces) > len(background) > 5
