import json

import numpy as np
import pytest
from PIL import Image

from edge.geometry.face_frame import MEAN_FACE
from tests.made_faces import write_labelled_photos
from train.data.labelled_faces import MARGIN, PADDED, load_labelled
from train.data.labelled_sources import (
    read_all,
    read_backgrounds,
    read_boxed,
    read_nonfaces,
    read_permissive,
)
from train.errors import DataError
from train.prepare import main


@pytest.fixture
def folder(tmp_path):
    return write_labelled_photos(tmp_path / "sets", 5)


def test_a_face_is_framed_in_the_centre(folder):
    faces, mesh = read_permissive(folder / "permissive")
    np.testing.assert_allclose(faces.keypoints[0], MEAN_FACE + MARGIN, atol=0.3)
    assert faces.images.shape == (5, PADDED, PADDED)
    assert mesh.shape == (5, 478, 3)
    assert faces.groups[0] == "made here:0.png"


def test_photos_of_one_member_of_congress_are_one_group(folder):
    path = folder / "permissive" / "annotations.jsonl"
    path.write_text(path.read_text().replace('"made"', '"us_congress_1"'))
    faces, _ = read_permissive(folder / "permissive")
    assert faces.groups[0] == "us_congress_1 0"


def test_every_fifth_photo_is_reserved_and_small_boxes_are_omitted(folder):
    faces = read_boxed(folder / "facemask")
    # Five photos of a large and a small box each; the fifth is reserved.
    assert faces.groups.tolist() == [f"facemask {i}.png" for i in range(4)]
    assert faces.is_face.all()
    assert not faces.labelled.any()


def test_windows_without_faces_are_negatives(folder, rng):
    crops = read_nonfaces(folder / "permissive" / "no_face", rng)
    assert len(crops) == 5
    assert not crops.is_face.any()


def test_backgrounds_contain_no_box(folder, rng):
    crops = read_backgrounds(folder / "facemask", rng)
    assert 0 < len(crops) <= 20
    inner = slice(MARGIN, PADDED - MARGIN)  # the margin may show faces
    assert set(np.unique(crops.images[:, inner, inner])) == {100}  # in the boxes it is 255
    assert not crops.is_face.any()


def test_prepare_writes_all_sets_and_a_table(folder, tmp_path, capsys):
    output = tmp_path / "faces.npz"
    assert main([str(folder), "--recipe", "keypoints", "-o", str(output)]) == 0
    faces = load_labelled(output)
    assert (faces.sources == "made").sum() == 5 + faces.turned.sum()
    assert 0 < faces.turned.sum() <= 20
    assert {"made", "facemask", "no_face"} <= set(faces.sources.tolist())
    assert "made" in capsys.readouterr().out


def test_the_same_seed_reads_the_same(folder):
    first, second = (read_all(folder, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.images, second.images)


def test_a_missing_file_is_one_line(folder, tmp_path, capsys):
    arguments = [str(folder), "--recipe", "keypoints", "-o", str(tmp_path / "faces.npz")]
    for name in ("facemask/annotations.jsonl", "permissive/mesh.npz"):
        (folder / name).unlink()
        assert main(arguments) == 1
        err = capsys.readouterr().err
        assert f"{name}: no such file" in err
        assert len(err.splitlines()) == 1


@pytest.mark.parametrize("line", ["junk", "[1]", '{"image": "a.png", "faces": [{"mesh": 0}]}'])
def test_a_malformed_line_is_named(folder, line):
    Image.fromarray(np.zeros((50, 50), np.uint8)).save(folder / "permissive" / "a.png")
    (folder / "permissive" / "annotations.jsonl").write_text(line)
    with pytest.raises(DataError, match=r"annotations\.jsonl: line 1"):
        read_permissive(folder / "permissive")


def test_boxes_are_checked(folder):
    row = {"image": "0.png", "faces": [{}], "yunet": []}
    (folder / "facemask" / "annotations.jsonl").write_text(json.dumps(row))
    with pytest.raises(DataError, match="line 1: expected image, yunet, and a box"):
        read_boxed(folder / "facemask")
