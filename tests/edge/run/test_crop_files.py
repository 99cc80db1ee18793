import contextlib
import zipfile

import numpy as np
import pytest

from edge.errors import ImageError, SourceError
from edge.run.crop_files import read_crops


def random_crops(count):
    return np.random.default_rng(0).integers(0, 256, size=(count, 96, 96), dtype=np.uint8)


def write_table(path, crops, numbers=None):
    """Write Kaggle's format, with a column of numbers if they are given."""
    cells = [" ".join(map(str, crop.reshape(-1))) for crop in crops]
    if numbers is None:
        lines = ["Image", *cells]
    else:
        lines = ["ImageId,Image", *(f"{n},{c}" for n, c in zip(numbers, cells, strict=True))]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def read_all(path):
    parts = list(read_crops(path, 96))
    return np.concatenate([p.numbers for p in parts]), np.concatenate([p.images for p in parts])


def test_an_array_is_read_in_batches(tmp_path):
    np.save(tmp_path / "crops.npy", random_crops(150))
    assert [len(part.numbers) for part in read_crops(tmp_path / "crops.npy", 96)] == [64, 64, 22]
    numbers, images = read_all(tmp_path / "crops.npy")
    np.testing.assert_array_equal(images, random_crops(150))
    np.testing.assert_array_equal(numbers, np.arange(150))


def test_a_table_is_read_plain_and_zipped_with_its_numbers(tmp_path):
    table = write_table(tmp_path / "test.csv", random_crops(3), [7, 9, 4])
    with zipfile.ZipFile(tmp_path / "test.zip", "w") as archive:
        archive.write(table, "test.csv")
    for name in ("test.csv", "test.zip"):
        numbers, images = read_all(tmp_path / name)
        assert numbers.tolist() == [7, 9, 4]
        np.testing.assert_array_equal(images, random_crops(3))
    unnumbered, _ = read_all(write_table(tmp_path / "other.csv", random_crops(2)))
    assert unnumbered.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("head", "lines"),
    [
        (b"\xef\xbb\xbfImageId,Image\r\n", "17,{}\r\n42,{}\r\n"),
        (b"\xef\xbb\xbfImage,ImageId\n", "{},17\n{},42\n"),
        (b"ImageId, Image\n", "17.0, {}\n42.0, {} \n"),
        (b"Image;ImageId\n", "{};17\n{};42\n"),
        (b"ImageId,Image,,\n", "17,{},,\n42,{},,\n,,,\n,,,\n"),
        (b"ImageId,Image,valid\n", "17,{},1\n42,{},0\n"),
    ],
)
@pytest.mark.parametrize("cell", ["7 ", "7.0 "])
def test_numbers_are_those_of_the_table_however_it_was_saved(head, lines, cell, tmp_path):
    image = (cell * 9216).strip()
    (tmp_path / "test.csv").write_bytes(head + lines.format(image, image).encode())
    numbers, images = read_all(tmp_path / "test.csv")
    assert numbers.tolist() == [17, 42]
    assert (images == 7).all()


def test_tables_and_arrays_are_told_by_their_content(tmp_path):
    np.save(tmp_path / "crops.npy", random_crops(2))
    (tmp_path / "crops.npy").rename(tmp_path / "crops.csv")
    np.testing.assert_array_equal(read_all(tmp_path / "crops.csv")[1], random_crops(2))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column Image"),
        ("a,b\n1,2\n", "no column Image"),
        ("Image\n1 2 3\n", "row 1: expected 9216 grey values, received 3"),
        ("ImageId,Image\n1,\n", "expected 9216 grey values, received 0"),
        ("Image\n" + "300 " * 9216 + "\n", "out of range, expected 0–255"),
        ("Image\n" + "x " * 9216 + "\n", "is no number"),
        ("Image\n" + "1.5 " * 9216 + "\n", "is not an integer"),
        ("Image\n" + "nan " * 9216 + "\n", "is not an integer"),
        ("ImageId,Image\nseven," + "1 " * 9216 + "\n", "row 1, ImageId: .*found 'seven'"),
        ("ImageId,Image\n17.5," + "1 " * 9216 + "\n", "row 1, ImageId: .*found '17.5'"),
        ("ImageId,Image\n," + "1 " * 9216 + "\n", "row 1, ImageId: .*found ''"),
        ("Image,ImageId,ImageId\n", "'ImageId' occurs twice"),
        ("imageid,Image\n", "the column 'imageid' is not recognised; name it ImageId"),
        ("Image,face_id\n", "the column 'face_id' is not recognised"),
        ("Id,Image\n", "the column 'Id' is not recognised"),
        ("image_number,Image\n", "the column 'image_number' is not recognised"),
    ],
)
def test_a_malformed_table_is_an_error(text, message, tmp_path):
    (tmp_path / "test.csv").write_text(text)
    with pytest.raises(ImageError, match=message):
        list(read_crops(tmp_path / "test.csv", 96))


def test_a_file_of_another_form_is_an_error(tmp_path):
    np.save(tmp_path / "float.npy", np.zeros((2, 96, 96)))
    np.save(tmp_path / "small.npy", np.zeros((2, 48, 48), np.uint8))
    (tmp_path / "junk.npy").write_bytes(b"junk")
    (tmp_path / "junk.zip").write_bytes(b"junk")
    (tmp_path / "bytes.csv").write_bytes(b"Image\n\xff\xfe\n")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "")
        archive.writestr("b.csv", "")
    for name in ("float.npy", "small.npy", "junk.npy", "junk.zip", "two.zip", "bytes.csv"):
        with pytest.raises(ImageError, match=name):
            list(read_crops(tmp_path / name, 96))
    for name in ("none.npy", "none.csv", "none.zip"):
        with pytest.raises(SourceError, match="no such file"):
            list(read_crops(tmp_path / name, 96))


@pytest.mark.parametrize("name", ["crops.npy", "crops.zip"])
def test_a_damaged_file_raises_no_other_errors(name, tmp_path):
    import io
    import zipfile

    if name.endswith(".npy"):
        buffer = io.BytesIO()
        np.save(buffer, np.zeros((2, 8, 8), np.uint8))
        whole = buffer.getvalue()
    else:
        with zipfile.ZipFile(tmp_path / "whole.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("test.csv", "ImageId,Image\n1," + "7 " * 64)
        whole = (tmp_path / "whole.zip").read_bytes()
    rng, path = np.random.default_rng(0), tmp_path / name
    for _ in range(300):
        damaged = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 400), rng.integers(1, 5)):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged[: rng.integers(1, len(damaged) + 1)])
        with contextlib.suppress(ImageError, SourceError):  # and nothing else
            list(read_crops(path, 8))
