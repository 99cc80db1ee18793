import zipfile

import numpy as np
import pytest

from tests.made_faces import COLUMNS, make_faces, write_csv
from train.data.faces import read_annotated, read_training
from train.errors import DataError


@pytest.fixture
def faces():
    images, keypoints = make_faces(4)
    keypoints[1, 10] = np.nan
    return images, keypoints


@pytest.fixture
def text(faces, tmp_path):
    """A good file's text, for damaging."""
    return write_csv(tmp_path / "good.csv", *faces).read_text()


def test_pixels_and_points_are_read_and_missing_points_are_nan(faces, tmp_path):
    read = read_training(write_csv(tmp_path / "training.csv", *faces))
    np.testing.assert_array_equal(read.images, faces[0])
    np.testing.assert_allclose(read.keypoints, faces[1], atol=1e-5)
    assert np.isnan(read.keypoints[1, 10]).all()
    assert np.isnan(read.keypoints).sum() == 2
    assert read.ids.tolist() == [1, 2, 3, 4]


def test_the_zip_and_another_order_of_columns_read_the_same(faces, tmp_path):
    plain = write_csv(tmp_path / "training.csv", *faces)
    mixed = write_csv(tmp_path / "mixed.csv", *faces, columns=["Image", *reversed(COLUMNS)])
    packed = tmp_path / "training.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(plain, "training.csv")
    for path in (mixed, packed):
        np.testing.assert_array_equal(read_training(path).images, faces[0])
        np.testing.assert_array_equal(read_training(path).keypoints, read_training(plain).keypoints)


def test_a_keypoint_with_one_coordinate_is_missing(faces, tmp_path):
    faces[1][2, 0, 1] = np.nan
    read = read_training(write_csv(tmp_path / "training.csv", *faces))
    assert np.isnan(read.keypoints[2, 0]).all()


def damage_cell(text, row, column, value):
    lines = [line.split(",") for line in text.splitlines()]
    lines[row][lines[0].index(column)] = value
    return "\n".join(",".join(line) for line in lines)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("nose_tip_x", "abc", r"row 2, column 'nose_tip_x': expected a number.*'abc'"),
        ("nose_tip_x", "inf", r"row 2, column 'nose_tip_x'"),
        ("Image", "1 2 3", r"row 2, column 'Image': expected 9216 pixels .*found 3"),
        ("Image", " ".join(["0"] * 9217), r"row 2, column 'Image'.*found 9217"),
        ("Image", " ".join(["0"] * 9215 + ["256"]), r"row 2, column 'Image'.*0 to 255, found 256"),
        ("Image", " ".join(["-1"] + ["0"] * 9215), r"row 2, column 'Image'.*found -1"),
        ("Image", " ".join(["0"] * 5 + ["x7"] + ["0"] * 9210), r"row 2, column 'Image'.*'x7'"),
        ("Image", "", r"row 2, column 'Image': expected 9216 pixels .*found 0"),
    ],
)
def test_a_bad_cell_is_named_by_row_and_column(text, tmp_path, column, value, message):
    path = tmp_path / "bad.csv"
    path.write_text(damage_cell(text, 2, column, value))
    with pytest.raises(DataError, match=message):
        read_training(path)


def test_a_malformed_file_is_an_error_that_says_why(text, tmp_path):
    path = tmp_path / "bad.csv"
    cases = {
        "": "the file is empty",
        text.splitlines()[0]: "a header but no rows",
        text.replace("nose_tip_x", "nose_x", 1): "column 'nose_tip_x' is missing",
        text.splitlines()[0] + "\n" + "1," * 40: "cannot be read as a table",
        text.rpartition(",")[0]: "row 4, column 'Image': expected 9216 pixels .*found 0",
    }
    for content, message in cases.items():
        path.write_text(content)
        with pytest.raises(DataError, match=message):
            read_training(path)


def test_a_file_without_labels_is_an_error(faces, tmp_path):
    faces[1][:] = np.nan
    with pytest.raises(DataError, match="no labels: none of the 4 rows"):
        read_training(write_csv(tmp_path / "bad.csv", *faces))


def test_a_missing_file_and_a_corrupt_zip_are_errors(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_training(tmp_path / "none.csv")
    broken = tmp_path / "training.zip"
    broken.write_bytes(b"PK no zip")
    with pytest.raises(DataError, match="cannot be read as a table"):
        read_training(broken)


def test_a_table_that_a_spreadsheet_saved_is_the_same(faces, tmp_path):
    plain = write_csv(tmp_path / "training.csv", *faces)
    header, *lines = plain.read_text().splitlines()
    saved = tmp_path / "saved.csv"
    lines = ["\ufeff" + header.replace(",", ", "), *lines, "," * header.count(",")]
    saved.write_text("\r\n".join(lines), "utf-8", newline="")
    with zipfile.ZipFile(tmp_path / "mac.zip", "w") as archive:
        archive.writestr("__MACOSX/._training.csv", b"\0\5\x16\7")
        archive.write(saved, "training.csv")
    for path in (saved, tmp_path / "mac.zip"):
        read, expected = read_training(path), read_training(plain)
        np.testing.assert_array_equal(read.images, expected.images)
        np.testing.assert_array_equal(read.keypoints, expected.keypoints)


@pytest.mark.parametrize(
    ("cell", "found"), [("14.0", None), ("14.5", "14.5"), ("", ""), ("x", "x")]
)
def test_an_image_id_is_a_whole_number_or_an_error(faces, tmp_path, cell, found):
    images, keypoints = faces
    (tmp_path / "test.csv").write_text(
        f"ImageId, Image\n14,{' '.join(map(str, images[0].reshape(-1)))}\n"
    )
    row = ",".join(map(str, keypoints[0].reshape(-1)))
    (tmp_path / "annotated.csv").write_text(f"ImageId,{','.join(COLUMNS)}\n{cell},{row}\n")
    paths = tmp_path / "annotated.csv", tmp_path / "test.csv"
    if found is None:
        assert read_annotated(*paths)[0].ids.tolist() == [14]
        return
    with pytest.raises(DataError, match=f"row 1, column 'ImageId': expected a.* found '{found}'"):
        read_annotated(*paths)


def test_annotations_and_images_are_joined_by_id(faces, tmp_path):
    images, keypoints = faces
    test_csv, annotated = tmp_path / "test.csv", tmp_path / "annotated.csv"
    lines = [f"{i + 11},{' '.join(map(str, im.reshape(-1)))}" for i, im in enumerate(images)]
    test_csv.write_text("ImageId,Image\n" + "\n".join(lines))
    rows = [f"{i + 11},{30 - i}," + ",".join(map(str, keypoints[i].reshape(-1))) for i in (3, 0)]
    header = "ImageId,asked," + ",".join(COLUMNS)
    annotated.write_text("\n".join([header, *rows]))
    read, asked = read_annotated(annotated, test_csv)
    np.testing.assert_array_equal(read.images, images[[3, 0]])
    np.testing.assert_allclose(read.keypoints, keypoints[[3, 0]], rtol=1e-6)
    assert read.ids.tolist() == [14, 11]
    assert asked.tolist() == [27, 30]
    annotated.write_text("\n".join([header, rows[0].replace("14", "99", 1)]))
    with pytest.raises(DataError, match="ImageId 99 is not in"):
        read_annotated(annotated, test_csv)
