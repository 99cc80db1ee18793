from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pandas")

from edge.keypoints import KEYPOINT_NAMES
from tests.annotated_photos import faces_in_photos, spotted_photo, write_annotated_photos
from tests.made_faces import make_faces, write_csv
from train.data.annotation_schemes import from_68
from train.data.sources import Source, read_annotations, read_source, read_table
from train.errors import DataError


@pytest.fixture
def folder(tmp_path):
    return write_annotated_photos(tmp_path)


def test_annotations_are_read_as_they_are_written(folder):
    rows = read_annotations(folder)
    assert [row.photo.name for row in rows] == [f"{i}.png" for i in range(5)]
    for row, points in zip(rows, faces_in_photos(), strict=True):
        np.testing.assert_allclose(row.keypoints, points, atol=1e-3)


def test_a_person_is_named_by_the_pattern(folder):
    people = [row.person for row in read_annotations(folder, r"([^/]+?)_?\d+\.\w+$")]
    assert people == ["Ann_B", "Ann_B", "2.png", "3.png", "4.png"]


def test_pts_files_beside_photos_are_read_counting_from_one(tmp_path, rng):
    points = rng.uniform(60, 160, size=(68, 2))
    Image.fromarray(spotted_photo(points[:3])).save(tmp_path / "a.png")
    text = "\n".join(f"{x + 1} {y + 1}" for x, y in points)
    (tmp_path / "a.pts").write_text(f"version: 1\nn_points: 68\n{{\n{text}\n}}\n")
    (row,) = read_annotations(tmp_path)
    np.testing.assert_allclose(row.keypoints, from_68(points[None])[0], atol=1e-3)


def test_the_rows_of_each_group_of_annotators_are_chosen_and_moved(tmp_path):
    images, keypoints = make_faces(6)
    keypoints[1, 0] = np.nan  # not counted among the complete rows
    write_csv(tmp_path / "training.csv", images, keypoints)
    source = Source("kaggle", "training.csv", annotators="kaggle_2", complete_rows=(2, 4))
    faces, _ = read_source(source, tmp_path, None)
    assert faces.ids.tolist() == [3, 4, 5]
    bottom = KEYPOINT_NAMES.index("mouth_center_bottom_lip")
    moved = faces.keypoints[:, bottom, 1] - keypoints[2:5, bottom, 1]
    np.testing.assert_allclose(moved, 0.0716 * 51, atol=0.6)
    with pytest.raises(DataError, match="5 rows have all keypoints"):
        read_source(replace(source, complete_rows=(6, 9)), tmp_path, None)


def test_annotators_of_whom_nothing_is_known_are_refused(folder):
    with pytest.raises(DataError, match="nobody"):
        read_source(Source("a", folder.name, annotators="nobody"), folder.parent, None)


def test_a_table_keeps_kaggles_coordinates_inside_the_margin(tmp_path):
    images, keypoints = make_faces(3)
    faces = read_table(write_csv(tmp_path / "training.csv", images, keypoints))
    crops = faces.crops()
    np.testing.assert_array_equal(crops.images, images)
    np.testing.assert_allclose(crops.keypoints, keypoints, atol=1e-4)


def test_annotations_with_a_byte_order_mark_are_the_same(folder):
    before = read_annotations(folder)
    table = folder / "annotations.jsonl"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes())
    after = read_annotations(folder)
    assert [row.photo for row in after] == [row.photo for row in before]
    np.testing.assert_array_equal(after[0].keypoints, before[0].keypoints)


def test_a_misspelt_keypoint_is_an_error_and_not_missing(tmp_path):
    line = '{"image": "a.png", "keypoints": {"nose_tip": [1, 2], "left_eye_centre": [3, 4]}}'
    (tmp_path / "annotations.jsonl").write_text(line + "\n")
    with pytest.raises(DataError, match=r"line 1: .*no keypoint has the name 'left_eye_centre'"):
        read_annotations(tmp_path)


def test_annotations_in_another_encoding_are_one_line(folder):
    table = folder / "annotations.jsonl"
    table.write_text(table.read_text("utf-8"), "utf-16")
    with pytest.raises(DataError, match=r"annotations\.jsonl: not a text in UTF-8"):
        read_annotations(folder)
