import numpy as np
import pytest
from PIL import Image

from benchmarks.datasets.photos import Photo
from benchmarks.evaluation.face_score import (
    covered_share,
    cut_faces,
    cut_nonfaces,
    cut_parts,
    cut_turned,
    square_of_part,
)
from edge.geometry.face_frame import MEAN_FACE


@pytest.fixture
def photo(rng):
    grey = rng.integers(0, 256, (200, 200)).astype(np.uint8)
    return Photo(grey, MEAN_FACE.astype(np.float32) + 50)


def test_a_turned_face_is_the_upright_one_turned(photo):
    grey = np.zeros((200, 200), np.uint8)
    grey[60:90, 90:110] = 255  # above the centre of the mean face, which is upright in the photo
    upright, clockwise, upside_down = (
        cut_turned([Photo(grey, photo.keypoints)], 96, angle)[0] for angle in (0, 90, 180)
    )
    np.testing.assert_allclose(clockwise, np.rot90(upright, -1), atol=1)
    np.testing.assert_allclose(upside_down, np.rot90(upright, 2), atol=1)


def test_parts_hold_less_than_a_third_of_the_face(photo, rng):
    face = np.array([10.0, 20.0, 100.0, 100.0])
    assert covered_share(face, np.array([60.0, 20.0, 50.0, 50.0])) == pytest.approx(0.25)
    assert covered_share(face, np.array([110.0, 20.0, 50.0, 50.0])) == 0
    shares = [covered_share(face, square_of_part(face, rng)) for _ in range(200)]
    assert max(shares) < 1 / 3
    assert np.mean(np.array(shares) > 0.1) > 0.2  # not all of them are beside it
    assert cut_parts([photo] * 3, 96, rng).shape == (3, 96, 96)


def test_a_face_is_cut_out_by_its_square(photo):
    photo = Photo(photo.grey, MEAN_FACE.astype(np.float32))  # whose square is the crop itself
    np.testing.assert_array_equal(cut_faces([photo], 96)[0], photo.grey[:96, :96])


def test_every_fifth_photo_without_faces_is_cut_into_four(tmp_path, rng):
    for i in range(10):
        Image.fromarray(np.full((60, 80), 20 * i, np.uint8)).save(tmp_path / f"{i}.png")
        (tmp_path / f"{i}.png").rename(tmp_path / f"{i}.jpg")
    crops = cut_nonfaces(tmp_path, 96, rng)
    assert crops.shape == (8, 96, 96)
    assert [int(crop.min()) for crop in crops] == [80] * 4 + [180] * 4
    with pytest.raises(ValueError, match=r"expected at least 5 photos \(.jpg\)"):
        cut_nonfaces(tmp_path / "empty", 96, rng)
