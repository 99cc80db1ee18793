import csv

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from edge.bulk.input_tables import is_table, photos_of_table
from edge.bulk.photos import Photo
from edge.errors import SourceError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def photos(name, column=None):
    return [*photos_of_table(name, fsspec.filesystem("file"), name, column)]


def names(name, column=None):
    return [photo.name for photo in photos(name, column)]


def write_parquet(path, columns, **options):
    pq.write_table(pa.table(columns), path, **options)


def test_tables_are_recognized_by_suffix():
    assert [is_table(name) for name in ("a.parquet", "a.CSV", "b/a.txt")] == [True] * 3
    assert [is_table(name) for name in ("a.jpg", "csv", "a.json")] == [False] * 3


def test_a_text_file_has_one_address_per_line(folder):
    (folder / "list.txt").write_text("in/b.jpg\n\n  in/c.jpg \nmemory://a/x.jpg\n")
    assert photos("list.txt") == [
        Photo("in/b.jpg", str(folder / "in" / "b.jpg")),
        Photo("in/c.jpg", str(folder / "in" / "c.jpg")),
        Photo("memory://a/x.jpg", "memory://a/x.jpg"),
    ]


def test_the_first_column_of_a_csv_holds_addresses_unless_another_is_named(folder):
    with (folder / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["where", "copy"], ["in/b, c.jpg", "b"], ["in/d.jpg", "d"]])
    assert names("list.csv") == ["in/b, c.jpg", "in/d.jpg"]
    assert names("list.csv", "copy") == ["b", "d"]


def test_the_first_text_column_of_a_parquet_file_holds_addresses(folder):
    write_parquet("list.parquet", {"n": [1, 2], "where": ["in/b.jpg", None], "copy": ["b", "d"]})
    assert names("list.parquet") == ["in/b.jpg"]
    assert names("list.parquet", "copy") == ["b", "d"]


def test_a_column_of_bytes_is_preferred_and_has_a_photo_per_row(folder):
    data = [b"%d" % number for number in range(50)]
    write_parquet("p.parquet", {"id": ["x"] * 50, "image": data}, row_group_size=20)
    file = str(folder / "p.parquet")
    assert photos("p.parquet") == [
        Photo(f"p.parquet#{number}", file, "image", number // 20, number % 20)
        for number in range(50)
    ]


def test_bytes_may_be_a_field_of_a_struct(folder):
    write_parquet("p.parquet", {"image": [{"bytes": b"one", "path": "1.jpg"}, None]})
    file = str(folder / "p.parquet")
    assert photos("p.parquet") == [
        Photo("p.parquet#0", file, "image", 0, 0),
        Photo("p.parquet#1", file, "image", 0, 1),
    ]


def test_a_csv_of_a_spreadsheet_is_read_alike(folder):
    text = "\ufeffcopy, where\r\nb, in/b.jpg\r\nd, in/d.jpg \r\n,\r\n"
    (folder / "list.csv").write_bytes(text.encode())
    assert names("list.csv", "where") == ["in/b.jpg", "in/d.jpg"]
    assert names("list.csv", "copy") == ["b", "d"]


@pytest.mark.parametrize(
    ("name", "column", "message"),
    [
        ("list.csv", "image", "list.csv: has no column 'image'; expected one of where"),
        ("list.parquet", None,
         "list.parquet: expected a column of bytes or text, received n (int64)"),
        ("list.parquet", "n", "list.parquet: n is int64; expected a column of bytes or text"),
        ("long.csv", None, "long.csv: cannot be read (field larger than field limit (131072))"),
        ("bare.csv", None, "bare.csv: the first line names the photo in/b.jpg; expected a header, "
         "such as: image"),
        ("none.txt", None, "none.txt: cannot be read (no such file or folder)"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_is_a_source_error(folder, name, column, message):
    (folder / "list.csv").write_text("where\nin/b.jpg\n")
    (folder / "bare.csv").write_text("in/b.jpg\nin/c.jpg\n")
    (folder / "long.csv").write_text(f"where\n{'x' * 200_000}\n")
    write_parquet("list.parquet", {"n": [1, 2]})
    with pytest.raises(SourceError) as caught:
        photos(name, column)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "data"), [("broken.parquet", b"PAR1 no more"), ("latin.txt", b"caf\xe9.jpg")]
)
def test_a_damaged_table_is_a_source_error(folder, name, data):
    (folder / name).write_bytes(data)
    with pytest.raises(SourceError, match=rf"^{name}: cannot be read \(."):
        photos(name)


TEXTS = ["in/b.jpg", "in/c.jpg", "in/b.jpg"]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(TEXTS).dictionary_encode(),
        pa.array(TEXTS, pa.large_string()),
        pa.array(TEXTS, pa.string_view()) if hasattr(pa, "string_view") else pa.array(TEXTS),
        pa.array(TEXTS, pa.large_string()).dictionary_encode(),
        pa.array([{"path": text} for text in TEXTS]),
        pa.array([{"bytes": None, "path": text} for text in TEXTS]),
    ],
    ids=lambda column: str(column.type),
)
def test_addresses_of_any_type_of_text_are_read(folder, column):
    write_parquet("list.parquet", {"n": [1, 2, 3], "where": column})
    assert names("list.parquet") == TEXTS
    assert names("list.parquet", "where") == TEXTS


def test_categories_are_taken_last_as_they_are_often_labels(folder):
    labels = pa.array(["cat", "dog"]).dictionary_encode()
    write_parquet("list.parquet", {"label": labels, "where": ["in/b.jpg", "in/c.jpg"]})
    assert names("list.parquet") == ["in/b.jpg", "in/c.jpg"]
    assert names("list.parquet", "label") == ["cat", "dog"]
