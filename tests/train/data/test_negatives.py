import numpy as np
import pytest
from PIL import Image

from tests.made_faces import make_faces
from train.data.negatives import load_photos, make_nonfaces
from train.errors import DataError


def test_no_negative_correlates_with_a_face(rng):
    faces, _ = make_faces(5)
    crops = make_nonfaces(faces, [], 60, rng)
    assert crops.shape == (60, 96, 96)
    assert crops.dtype == np.uint8
    flat = faces.reshape(5, -1) - faces.reshape(5, -1).mean(axis=1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    other = crops.reshape(60, -1) - crops.reshape(60, -1).mean(axis=1, keepdims=True)
    other = other / np.maximum(np.linalg.norm(other, axis=1, keepdims=True), 1e-9)
    assert (other @ flat.T).max() < 0.6


def test_half_of_the_negatives_are_cut_from_photos(rng):
    faces, _ = make_faces(5)
    photo = np.full((40, 300), 3, np.uint8)
    crops = make_nonfaces(faces, [photo], 200, rng)
    share = (crops == 3).all(axis=(1, 2)).mean()
    assert 0.35 < share < 0.65


def test_a_folder_without_images_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no images found"):
        load_photos(tmp_path)


def test_every_fifth_photo_is_reserved_for_benchmarks(tmp_path):
    for i in range(11):
        Image.new("L", (20, 20), i).save(tmp_path / f"{i:02}.png")
    assert [int(photo[0, 0]) for photo in load_photos(tmp_path)] == [0, 1, 2, 3, 5, 6, 7, 8, 10]
