import os

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from edge.bulk.input_tables import photos_of_table
from edge.bulk.photos import Photo, fetch, photo_at


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def photos_in_rows(path, count, column="image", group_size=20):
    return [
        Photo(f"{path.name}#{number}", str(path), column, number // group_size, number % group_size)
        for number in range(count)
    ]


def test_a_relative_path_is_the_name_and_the_address_is_absolute(folder):
    assert photo_at("in/a.jpg") == Photo("in/a.jpg", str(folder / "in" / "a.jpg"))
    assert photo_at("s3://in/a.jpg") == Photo("s3://in/a.jpg", "s3://in/a.jpg")


def test_a_name_that_is_not_valid_utf8_is_escaped(folder):
    name = os.fsdecode(b"caf\xe9.jpg")
    assert photo_at(name) == Photo("caf\\udce9.jpg", str(folder / name))


def test_photos_of_one_row_group_are_one_read_unit(folder):
    path = folder / "p.parquet"
    units = [photo.read_unit for photo in photos_in_rows(path, 45)]
    assert units == [f"{path}#0"] * 20 + [f"{path}#1"] * 20 + [f"{path}#2"] * 5
    assert photo_at("a.jpg").read_unit == str(folder / "a.jpg")


def test_files_are_fetched_in_order(folder):
    for number in range(30):
        (folder / f"{number}.jpg").write_bytes(b"%d" % number)
    photos = [photo_at(f"{number}.jpg") for number in range(30)]
    assert [*fetch(photos)] == [b"%d" % number for number in range(30)]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_what_is_no_regular_file_has_a_reason(folder):
    (folder / "in").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    reason = "is a directory or no regular file; expected an image file"
    photos = [photo_at(name) for name in ("none.jpg", "in", "pipe.jpg")]
    assert [*fetch(photos)] == ["no such file", reason, reason]


def test_objects_are_fetched_from_object_storage(memory):
    memory.pipe_file("/bucket/a.jpg", b"ay")
    addresses = ("memory://bucket/a.jpg", "memory://bucket/none.jpg", "nowhere://a.jpg")
    first, second, third = fetch([photo_at(address) for address in addresses])
    assert (first, second) == (b"ay", "no such file")
    assert third == "cannot be read (Protocol not known: nowhere)"


def test_rows_are_fetched_in_any_order_of_row_groups(folder):
    path = folder / "p.parquet"
    data = [b"%d" % number for number in range(50)]
    pq.write_table(pa.table({"image": data}), path, row_group_size=20)
    photos = photos_in_rows(path, 50)
    assert [*fetch(photos)] == data
    selection = (45, 3, 7, 21)
    assert [*fetch([photos[i] for i in selection])] == [data[i] for i in selection]


def test_bytes_that_are_missing_have_a_reason(folder):
    path = folder / "p.parquet"
    values = [{"bytes": b"one", "path": "1.jpg"}, {"bytes": None, "path": "2.jpg"}, None]
    pq.write_table(pa.table({"image": values}), path)
    photos = photos_in_rows(path, 3, "image.bytes")
    assert [*fetch(photos)] == [b"one", *["the row holds no bytes"] * 2]


BYTES = [b"one", b"two", b"one"]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(BYTES),
        pa.array(BYTES, pa.large_binary()),
        pa.array(BYTES, pa.binary_view()) if hasattr(pa, "binary_view") else pa.array(BYTES),
        pa.array(BYTES).dictionary_encode(),
        pa.array([{"bytes": data, "path": "x.jpg"} for data in BYTES]),
        pa.array([{"path": None, "bytes": data, "more": [1]} for data in BYTES]),
        pa.array([list(data) for data in BYTES], pa.list_(pa.uint8())),
        pa.array([list(data) for data in BYTES], pa.large_list(pa.uint8())),
    ],
    ids=lambda column: str(column.type),
)
def test_bytes_of_any_type_are_fetched(folder, column):
    path = folder / "p.parquet"
    pq.write_table(pa.table({"other.image": column, "image": column}), path)
    for name in ("image", "other.image"):
        photos = [*photos_of_table("p.parquet", fsspec.filesystem("file"), "p.parquet", name)]
        assert [*fetch(photos)] == BYTES


def test_a_struct_without_bytes_is_the_photo_at_its_path(folder):
    (folder / "a.jpg").write_bytes(b"from the file")
    values = [{"bytes": b"x", "path": "a.jpg"}, {"bytes": None, "path": "a.jpg"}, None,
              {"bytes": None, "path": "none.jpg"}, {"bytes": None, "path": None}]  # fmt: skip
    pq.write_table(pa.table({"image": values}), folder / "p.parquet")
    photos = [*photos_of_table("p.parquet", fsspec.filesystem("file"), "p.parquet", None)]
    assert [*fetch(photos)] == [
        b"x", b"from the file", "the row holds no bytes", "no such file", "the row holds no bytes",
    ]  # fmt: skip


def test_a_row_past_the_end_has_a_reason(folder):
    path = folder / "p.parquet"
    pq.write_table(pa.table({"image": [b"one"]}), path)
    assert [*fetch(photos_in_rows(path, 2))] == [b"one", "no such row"]


def test_each_row_of_a_truncated_file_has_a_reason(folder):
    path = folder / "p.parquet"
    pq.write_table(pa.table({"image": [b"a" * 1000, b"b" * 1000]}), path, compression="none")
    path.write_bytes(path.read_bytes()[:500])
    first, second = fetch(photos_in_rows(path, 2))
    assert first == second
    assert first.startswith("cannot be read (")
