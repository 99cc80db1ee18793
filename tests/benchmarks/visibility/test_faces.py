import json

import numpy as np
from PIL import Image

from benchmarks.visibility.faces import group_of, is_held_out, read_masks, read_others
from tests.made_faces import make_labelled_faces
from train.data.labelled_faces import are_held_out
from train.data.labelled_sources import _group


def test_faces_are_held_out_as_in_the_training(rng):
    faces = make_labelled_faces(60, rng)
    expected = are_held_out(faces)
    assert [is_held_out(group) for group in faces.groups] == expected.tolist()
    assert 0 < expected.sum() < 20


def test_groups_are_those_of_the_training():
    for row in (
        {"set": "us_congress_gpo2015", "source": "a/b blob 12:x/y/J000032.jpg"},
        {"set": "ols_images", "source": "a/b@1:x/y/z.png"},
    ):
        assert group_of(row) == _group(row)


def test_masks_are_those_of_reserved_photos(tmp_path):
    Image.new("L", (90, 80), 50).save(tmp_path / "a.png")
    box = [10, 10, 30, 40]
    labels = ("with_mask", "without_mask", "mask_weared_incorrect")
    faces = [{"box": box, "label": label} for label in labels]
    small = {"box": [0, 0, 20, 30], "label": "with_mask"}
    rows = [json.dumps({"image": "a.png", "faces": [*faces, small]})] * 9
    (tmp_path / "annotations.jsonl").write_text("\n".join(rows))
    found = list(read_masks(tmp_path))
    assert [face.is_masked for face in found] == [True, False]
    assert found[0].grey.shape == (80, 90)
    np.testing.assert_array_equal(found[0].box, box)


def test_every_fifth_photo_is_not_trained_on(tmp_path):
    for i in range(11):
        Image.new("L", (8 + i, 8), i).save(tmp_path / f"{i:02d}.jpg")
    assert [photo.shape[1] for photo in read_others(tmp_path)] == [12, 17]
