import numpy as np
import pytest
from PIL import Image

from tests.made_faces import make_faces
from train.data.negatives import load_photos, make_nonfaces
from train.errors import DataError


def test_none_of_them_is_a_face(rng):
    faces, _ = make_faces(5)
    made = make_nonfaces(faces, [], 60, rng)
    assert made.shape == (60, 96, 96)
    assert made.dtype == np.uint8
    flat = faces.reshape(5, -1) - faces.reshape(5, -1).mean(axis=1, keepdims=True)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    other = made.reshape(60, -1) - made.reshape(60, -1).mean(axis=1, keepdims=True)
    other = other / np.maximum(np.linalg.norm(other, axis=1, keepdims=True), 1e-9)
    assert (other @ flat.T).max() < 0.6


def test_photos_are_used_for_half(rng):
    faces, _ = make_faces(5)
    photo = np.full((40, 300), 3, np.uint8)
    made = make_nonfaces(faces, [photo], 200, rng)
    share = (made == 3).all(axis=(1, 2)).mean()
    assert 0.35 < share < 0.65


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="no images found"):
        load_photos(tmp_path)


def test_every_fifth_photo_is_left_for_measuring(tmp_path):
    for i in range(11):
        Image.new("L", (20, 20), i).save(tmp_path / f"{i:02}.png")
    assert [int(photo[0, 0]) for photo in load_photos(tmp_path)] == [0, 1, 2, 3, 5, 6, 7, 8, 10]
