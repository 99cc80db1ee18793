import numpy as np
import pytest

from edge.alignment import align
from edge.errors import ImageError
from edge.face import Face
from edge.geometry.similarity import similarity
from tests.drawn_faces import face_at, spotted


@pytest.mark.parametrize("size", [56, 112, 224])
def test_an_aligned_face_has_its_points_in_the_templates_places(size):
    face = face_at(similarity(2.0, 25.0, (47.5, 47.5), (200.0, 150.0)))
    chip = align(spotted(face), face, size)
    assert chip.shape == (size, size, 3)
    scale = size / 112
    for x, y in ((73.5, 51.5), (38.3, 51.7), (56.0, 71.7)):
        # The mean face is not the template's face: its points come to lie within some px of it.
        near = chip[round((y - 6) * scale) : round((y + 7) * scale),
                    round((x - 6) * scale) : round((x + 7) * scale)].astype(int)  # fmt: skip
        assert (near[..., 0] - near[..., 1]).max() > 100
    corner = chip[: size // 8, : size // 8].astype(int)
    assert (np.abs(corner - 120) < 5).all()


def test_a_face_whose_points_lie_in_one_place_cannot_be_aligned():
    face = Face(np.zeros(4, np.float32), 1.0, np.full((15, 2), 9, np.float32), np.ones(15))
    with pytest.raises(ImageError, match="coincide"):
        align(np.zeros((20, 20, 3), np.uint8), face)
    with pytest.raises(ValueError, match="size"):
        align(np.zeros((20, 20, 3), np.uint8), face, 0)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((8, 8), np.uint8), ((8, 8, 4), np.uint8), ((8, 8, 3), np.float32), ((0, 8, 3), np.uint8)],
)
def test_an_image_of_another_form_is_refused(shape, dtype):
    image = np.zeros(shape, dtype)
    face = Face(np.ones(4, np.float32), 0.9, np.ones((15, 2)), np.ones(15))
    with pytest.raises(ImageError, match="cannot use an array as an image"):
        align(image, face)


@pytest.mark.parametrize("size", [1_000_000, 11.5])
def test_a_size_that_is_not_whole_or_takes_gigabytes_is_refused(size):
    face = face_at(similarity(2.0, 0.0, (47.5, 47.5), (100.0, 100.0)))
    with pytest.raises(ValueError, match="whole number up to 8192"):
        align(np.zeros((200, 200, 3), np.uint8), face, size)
