import numpy as np
import pytest

from edge.geometry.affine import transform
from tests.made_faces import make_labelled_faces
from train.data.labelled_faces import (
    MARGIN,
    PADDED,
    are_held_out,
    join_labelled,
    load_labelled,
    padded_crop_matrix,
    save_labelled,
    unlabelled_crop,
)
from train.errors import DataError


def test_a_saved_file_is_read_back(tmp_path, rng):
    faces = make_labelled_faces(3, rng)
    save_labelled(faces, tmp_path / "faces.npz")
    restored = load_labelled(tmp_path / "faces.npz")
    np.testing.assert_array_equal(restored.points68, faces.points68)
    assert restored.groups.tolist() == ["person 0", "person 1", "person 2"]
    assert np.abs(restored.images.astype(int) - faces.images).mean() < 6  # JPEG
    assert [path.name for path in tmp_path.iterdir()] == ["faces.npz"]


def test_a_file_of_another_kind_is_an_error(tmp_path):
    np.savez(tmp_path / "other.npz", images=np.zeros(3))
    (tmp_path / "junk.npz").write_bytes(b"junk")
    for name in ("other.npz", "junk.npz"):
        with pytest.raises(DataError, match=f"{name}: not a file of labelled faces"):
            load_labelled(tmp_path / name)
    with pytest.raises(DataError, match="no such file"):
        load_labelled(tmp_path / "none.npz")


def test_a_group_is_held_out_completely_and_always(rng):
    faces = make_labelled_faces(400, rng)
    held_out = are_held_out(faces)
    assert 0.03 < held_out.mean() < 0.12
    np.testing.assert_array_equal(are_held_out(faces.take(held_out)), True)


def test_the_centre_of_a_padded_crop_shows_the_square():
    matrix = padded_crop_matrix(np.array([10.0, 20.0, 48.0, 48.0]))
    corners = transform(matrix, [(9.5, 19.5), (57.5, 67.5)])
    np.testing.assert_allclose(corners, [(MARGIN - 0.5,) * 2, (MARGIN + 95.5,) * 2])


def test_sets_are_joined_in_order(rng):
    background = unlabelled_crop(np.zeros((PADDED, PADDED), np.uint8), False, "none 1")
    joined = join_labelled([make_labelled_faces(2, rng), background])
    assert joined.sources.tolist() == ["set", "set", "none"]
    assert joined.labelled.tolist() == [True, True, False]
    assert joined.is_face.tolist() == [True, True, False]


def test_no_sets_are_joined_to_no_crops():
    assert join_labelled([]).images.shape == (0, PADDED, PADDED)
