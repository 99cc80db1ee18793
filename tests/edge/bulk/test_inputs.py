import csv
import os
from importlib.util import find_spec

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from edge.bulk.inputs import Shard, list_photos
from edge.bulk.photos import Photo, fetch, photo_at
from edge.errors import MissingExtra


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two pictures, one of them deeper, and what is none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "b.jpg").write_bytes(b"bee")
    (tmp_path / "in" / "deep" / "a.PNG").write_bytes(b"ay")
    for name in ("b.keypoints.jpg", "notes.txt", "film.mp4"):
        (tmp_path / "in" / name).write_bytes(b"other")
    return tmp_path


@pytest.fixture
def memory():
    """An object store, empty before and after."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    yield files
    files.store.clear()


def names(*words, **settings):
    listing = list_photos(words, **settings)
    assert listing.problems == []
    return [photo.name for photo in listing.photos]


def write_parquet(path, columns, **more):
    pq.write_table(pa.table(columns), path, **more)


def test_a_folder_is_listed_with_its_folders_named_as_typed(folder):
    assert names("in") == ["in/b.jpg", "in/deep/a.PNG"]
    assert names("./in/") == ["in/b.jpg", "in/deep/a.PNG"]
    assert names(str(folder / "in" / "deep")) == [str(folder / "in" / "deep" / "a.PNG")]
    (photo, _) = list_photos(["in"]).photos
    assert photo.address == str(folder / "in" / "b.jpg")  # a worker may be elsewhere


def test_a_pattern_and_what_is_named_twice(folder):
    assert names("in/*.jpg", "in/b.jpg", "in/**/*.PNG") == ["in/b.jpg", "in/deep/a.PNG"]
    (folder / "in" / "[x].jpg").write_bytes(b"")
    assert names("in/[x].jpg") == ["in/[x].jpg"]  # a name before a pattern


def test_a_photo_that_is_missing_is_one_nevertheless(folder):
    assert names("in/none.jpg") == ["in/none.jpg"]


def test_lists_of_addresses(folder):
    (folder / "list.txt").write_text("in/b.jpg\n\n  in/c.jpg \n")
    assert names("list.txt") == ["in/b.jpg", "in/c.jpg"]
    with (folder / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["where", "year"], ["in/b, c.jpg", 2019], ["in/d.jpg", 2020]])
    assert names("list.csv") == ["in/b, c.jpg", "in/d.jpg"]
    write_parquet(folder / "list.parquet", {"n": [1, 2], "where": ["in/b.jpg", "memory://a/x"]})
    assert names("list.parquet") == ["in/b.jpg", "memory://a/x"]
    assert names("list.parquet", column="where") == ["in/b.jpg", "memory://a/x"]


def test_a_column_that_is_missing_or_of_another_kind_is_a_problem(folder):
    (folder / "list.csv").write_text("where\nin/b.jpg\n")
    write_parquet(folder / "list.parquet", {"n": [1, 2]})
    (folder / "broken.parquet").write_bytes(b"PAR1 no more")
    listing = list_photos(["list.csv"], "image")
    assert listing.photos == []
    assert listing.problems == ["list.csv: has no column 'image'; expected one of where"]
    (first,) = list_photos(["list.parquet"]).problems
    assert first == "list.parquet: expected a column of bytes or text, received ['n']"
    (first,) = list_photos(["list.parquet"], "n").problems
    assert first == "list.parquet: n is int64; expected a column of bytes or text"
    (first,) = list_photos(["broken.parquet"]).problems
    assert first.startswith("broken.parquet: cannot be read (")


def test_a_csv_that_is_none_is_a_problem(folder):
    (folder / "list.csv").write_text(f"where\n{'x' * 200_000}\n")
    (first,) = list_photos(["list.csv"]).problems
    assert first == "list.csv: cannot be read (field larger than field limit (131072))"


def test_a_folder_that_is_missing_is_no_photo(folder):
    listing = list_photos(["none/", "memory://none/"])
    assert listing.photos == []
    assert listing.problems == ["none/: no such folder", "memory://none/: no such folder"]


def test_an_empty_folder_and_an_unknown_address_are_problems_and_the_rest_is_listed(folder):
    (folder / "empty").mkdir()
    listing = list_photos(["empty", "nowhere://x/", "in"])
    assert [photo.name for photo in listing.photos] == ["in/b.jpg", "in/deep/a.PNG"]
    assert listing.problems[0].startswith("empty: holds no picture; ")
    assert listing.problems[1].startswith("nowhere://x/: cannot be opened (")


@pytest.mark.skipif(find_spec("s3fs") is not None, reason="s3fs is installed")
def test_what_an_address_needs_is_said():
    with pytest.raises(MissingExtra, match=r"s3://bucket/: .*s3fs"):
        list_photos(["s3://bucket/"])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may enter all")
def test_a_folder_that_may_not_be_entered_is_a_problem(folder):
    (folder / "in" / "deep").chmod(0)
    try:
        listing = list_photos(["in"])
    finally:
        (folder / "in" / "deep").chmod(0o700)
    assert [photo.name for photo in listing.photos] == ["in/b.jpg"]
    assert listing.problems == [f"{folder / 'in' / 'deep'}: Permission denied"]


def test_object_storage(memory):
    memory.pipe_file("/bucket/2019/b.jpg", b"bee")
    memory.pipe_file("/bucket/2020/a.jpg", b"ay")
    memory.pipe_file("/bucket/list.txt", b"memory://bucket/2020/a.jpg\n")
    both = ["memory:///bucket/2019/b.jpg", "memory:///bucket/2020/a.jpg"]
    assert names("memory://bucket") == both
    assert names("memory://bucket/*/a.jpg") == both[1:]
    assert names("memory://bucket/list.txt") == ["memory://bucket/2020/a.jpg"]
    photos = list_photos(["memory://bucket", "memory://bucket/none.jpg"]).photos
    assert [*fetch(photos)] == [b"bee", b"ay", "no such file"]


def test_shards_have_each_photo_once_and_keep_it(folder):
    some = [f"in/{number}.jpg" for number in range(40)]
    shards = [names(*some, shard=Shard(number, 3)) for number in (1, 2, 3)]
    assert all(5 < len(shard) < 25 for shard in shards)
    assert sorted([*shards[0], *shards[1], *shards[2]]) == sorted(some)
    assert names(*some, "in/new.jpg", shard=Shard(2, 3))[: len(shards[1])] == shards[1]


def test_a_column_of_bytes_is_as_many_photos(folder):
    data = [b"%d" % number for number in range(50)]
    write_parquet(folder / "p.parquet", {"id": ["x"] * 50, "image": data}, row_group_size=20)
    photos = list_photos(["p.parquet"]).photos
    assert [photo.name for photo in photos] == [f"p.parquet#{number}" for number in range(50)]
    assert photos[41].group == 2
    assert photos[41].row == 1
    assert [*fetch(photos)] == data
    some = [photos[45], photos[3], photos[7], photos[21]]
    assert [*fetch(some)] == [data[45], data[3], data[7], data[21]]
    # Rows of one row group stay together, so that a shard does not read all of the file.
    shard = list_photos(["p.parquet"], shard=Shard(1, 2)).photos
    assert len(shard) in (0, 10, 20, 30, 40, 50)


def test_bytes_within_a_struct_and_bytes_that_are_missing(folder):
    values = [{"bytes": b"one", "path": "1.jpg"}, {"bytes": None, "path": "2.jpg"}, None]
    write_parquet(folder / "p.parquet", {"image": values})
    photos = list_photos(["p.parquet"], "image").photos
    assert [*fetch(photos)] == [b"one", *["the row holds no bytes"] * 2]


def test_rows_of_a_file_that_breaks_off_fail_each(folder):
    path = folder / "p.parquet"
    write_parquet(path, {"image": [b"a" * 1000, b"b" * 1000]}, compression="none")
    photos = list_photos(["p.parquet"]).photos
    path.write_bytes(path.read_bytes()[:500])
    first, second = fetch(photos)
    assert first == second
    assert first.startswith("cannot be read (")


def test_files_are_fetched_in_order_and_what_is_none_has_a_reason(folder):
    for number in range(30):
        (folder / f"{number}.jpg").write_bytes(b"%d" % number)
    os.mkfifo(folder / "pipe.jpg")
    words = [f"{number}.jpg" for number in range(30)]
    assert [*fetch([photo_at(word) for word in words])] == [b"%d" % n for n in range(30)]
    odd = [*fetch([photo_at("none.jpg"), photo_at("in"), photo_at("pipe.jpg")])]
    none = "is a directory or no regular file; expected a picture file"
    assert odd == ["no such file", none, none]


def test_a_name_that_is_no_text_is_written_in_escapes(folder):
    name = os.fsdecode(b"caf\xe9.jpg")
    assert photo_at(name) == Photo("caf\\udce9.jpg", str(folder / name))
