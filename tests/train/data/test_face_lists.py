import sqlite3

import numpy as np
import pytest

pytest.importorskip("pandas")

from edge.keypoints import KEYPOINT_NAMES
from train.data.annotation_schemes import from_68
from train.data.face_lists import read_list
from train.data.sources import read_annotations
from train.errors import DataError


def at(row, name):
    return row.keypoints[KEYPOINT_NAMES.index(name)].tolist()


def test_wflw_is_read_as_the_68_points_in_it(tmp_path):
    points = np.stack([np.arange(98.0), 200 - np.arange(98.0)], axis=1)
    numbers = " ".join(f"{v:.3f}" for v in points.reshape(-1))
    folder = tmp_path / "WFLW_annotations" / "list_98pt"
    folder.mkdir(parents=True)
    photo = tmp_path / "WFLW_images" / "a--b" / "c d.jpg"
    photo.parent.mkdir(parents=True)
    photo.touch()
    (folder / "list.txt").write_text(f"{numbers} 1 2 3 4 0 0 0 0 0 0 a--b/c d.jpg\n")
    (row,) = read_annotations(folder / "list.txt")
    assert row.photo.samefile(photo)
    assert at(row, "right_eyebrow_outer_end") == [33, 167]
    assert at(row, "left_eyebrow_outer_end") == [46, 154]
    assert at(row, "nose_tip") == [54, 146]
    assert at(row, "right_eye_outer_corner") == [60, 140]
    assert at(row, "left_eye_outer_corner") == [72, 128]
    assert at(row, "mouth_left_corner") == [82, 118]
    assert at(row, "mouth_center_bottom_lip") == [85, 115]
    eye = points[[60, 61, 63, 64, 65, 67]].mean(axis=0)
    np.testing.assert_allclose(at(row, "right_eye_center"), eye, atol=1e-4)


def test_cofw_holds_its_images_and_counts_from_one(tmp_path):
    h5py = pytest.importorskip("h5py")
    image = np.arange(48, dtype=np.uint8).reshape(6, 8)
    with h5py.File(tmp_path / "COFW_test.mat", "w") as file:
        file["image"] = image.T  # MATLAB's arrays are stored by columns
        file["IsT"] = np.array([[file["image"].ref]], h5py.ref_dtype)
        file["phisT"] = np.concatenate([np.arange(29), np.arange(29) + 50, np.zeros(29)])[:, None]
    (row,) = read_list(tmp_path / "COFW_test.mat")
    np.testing.assert_array_equal(row.photo, image)
    assert at(row, "right_eyebrow_outer_end") == [-1, 49]
    assert at(row, "left_eye_center") == [16, 66]
    assert at(row, "nose_tip") == [19, 69]
    assert at(row, "mouth_center_bottom_lip") == [26, 76]


def test_aflw_gives_the_points_that_it_has_in_common(tmp_path):
    with sqlite3.connect(tmp_path / "aflw.sqlite") as database:
        database.executescript(
            "CREATE TABLE Faces (face_id INTEGER, file_id TEXT);"
            "CREATE TABLE FaceImages (file_id TEXT, filepath TEXT);"
            "CREATE TABLE FeatureCoords (face_id INTEGER, feature_id INTEGER, x REAL, y REAL);"
            "INSERT INTO Faces VALUES (7, 'f'), (8, 'f');"
            "INSERT INTO FaceImages VALUES ('f', '0/a.jpg');"
            "INSERT INTO FeatureCoords VALUES (7, 1, 3, 4), (7, 13, 9, 9), (7, 15, 5, 6),"
            "(8, 12, 1, 2);"
        )
    database.close()
    photo = tmp_path / "flickr" / "0" / "a.jpg"
    photo.parent.mkdir(parents=True)
    photo.touch()
    first, second = read_list(tmp_path / "aflw.sqlite")
    assert first.photo.samefile(photo)
    assert at(first, "right_eyebrow_outer_end") == [3, 4]
    assert at(first, "nose_tip") == [5, 6]
    assert np.isnan(first.keypoints[:, 0]).sum() == 13
    assert at(second, "left_eye_outer_corner") == [1, 2]
    assert first.person == second.person == "0/a.jpg"


@pytest.mark.parametrize("name", ["a.txt", "a.sqlite"])
def test_other_files_are_data_errors(tmp_path, name):
    (tmp_path / name).write_text("hello\n")
    with pytest.raises(DataError, match=f"{name}: not a list of WFLW, COFW or AFLW"):
        read_list(tmp_path / name)


def test_the_scheme_of_wflw_agrees_with_that_of_68_points(rng):
    from train.data.annotation_schemes import _WFLW_OF_68, from_count

    points = rng.uniform(0, 100, (98, 2))
    chosen = points[list(_WFLW_OF_68)]
    np.testing.assert_array_equal(from_count(points), from_68(chosen[None])[0])
    with pytest.raises(ValueError, match="expected 29, 68 or 98 points"):
        from_count(points[:5])
