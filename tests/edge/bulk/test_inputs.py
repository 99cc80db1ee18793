import os
from importlib.util import find_spec

import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

import pyarrow as pa
import pyarrow.parquet as pq

import edge.bulk.inputs
from edge.bulk.inputs import Shard, list_photos
from edge.bulk.photos import photo_at
from edge.errors import MissingExtra


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two images, one of them in a subfolder, and files that are no images."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "b.jpg").write_bytes(b"bee")
    (tmp_path / "in" / "deep" / "a.PNG").write_bytes(b"ay")
    for name in ("b.keypoints.jpg", "notes.txt", "film.mp4"):
        (tmp_path / "in" / name).write_bytes(b"other")
    return tmp_path


def names(*sources, **settings):
    listing = list_photos(sources, **settings)
    assert listing.problems == []
    return [photo.name for photo in listing.photos]


def test_a_folder_is_listed_recursively_with_names_as_typed(folder):
    assert names("in") == ["in/b.jpg", "in/deep/a.PNG"]
    assert names("./in/") == ["in/b.jpg", "in/deep/a.PNG"]
    assert names(str(folder / "in" / "deep")) == [str(folder / "in" / "deep" / "a.PNG")]


def test_addresses_are_absolute(folder):
    assert list_photos(["in"]).photos == [photo_at("in/b.jpg"), photo_at("in/deep/a.PNG")]
    assert list_photos(["in"]).photos[0].address == str(folder / "in" / "b.jpg")


def test_a_photo_that_several_sources_name_is_listed_once(folder):
    assert names("in/*.jpg", "in/b.jpg", "in/**/*.PNG") == ["in/b.jpg", "in/deep/a.PNG"]


def test_an_existing_file_takes_precedence_over_a_pattern(folder):
    (folder / "in" / "[x].jpg").write_bytes(b"")
    assert names("in/[x].jpg") == ["in/[x].jpg"]


def test_a_missing_file_is_listed_so_that_it_fails_in_the_results(folder):
    assert names("in/none.jpg") == ["in/none.jpg"]


def test_tables_are_read_if_named_or_matched_by_a_pattern(folder):
    (folder / "list.txt").write_text("in/b.jpg\nin/c.jpg\n")
    pq.write_table(pa.table({"n": ["x"], "where": ["in/d.jpg"]}), "list.parquet")
    assert names("list.txt") == ["in/b.jpg", "in/c.jpg"]
    assert names("list.*", column=None) == ["x", "in/b.jpg", "in/c.jpg"]
    assert names("list.parquet", column="where") == ["in/d.jpg"]


def test_a_table_that_cannot_be_used_is_a_problem(folder):
    (folder / "list.csv").write_text("where\nin/b.jpg\n")
    listing = list_photos(["list.csv", "in"], "image")
    assert [photo.name for photo in listing.photos] == ["in/b.jpg", "in/deep/a.PNG"]
    assert listing.problems == ["list.csv: has no column 'image'; expected one of where"]


def test_a_missing_folder_is_a_problem(folder, memory):
    listing = list_photos(["none/", "memory://none/"])
    assert listing.photos == []
    assert listing.problems == ["none/: no such folder", "memory://none/: no such folder"]


def test_an_empty_folder_and_an_unknown_address_are_problems(folder):
    (folder / "empty").mkdir()
    listing = list_photos(["empty", "nowhere://x/", "in"])
    assert [photo.name for photo in listing.photos] == ["in/b.jpg", "in/deep/a.PNG"]
    assert listing.problems == [
        "empty: holds no image; for tables in it, give a pattern or each file's name",
        "nowhere://x/: cannot be opened (Protocol not known: nowhere)",
    ]


def test_storage_that_does_not_answer_is_a_problem(memory, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no answer")

    monkeypatch.setattr(memory, "isdir", fail)
    listing = list_photos(["memory://bucket"])
    assert listing.problems == ["memory://bucket: cannot be listed (no answer)"]


def test_a_defect_of_the_program_is_not_reported_as_a_problem(folder, monkeypatch):
    def is_image_name(path):
        raise TypeError("a defect")

    monkeypatch.setattr(edge.bulk.inputs, "is_image_name", is_image_name)
    with pytest.raises(TypeError, match="a defect"):
        list_photos(["in"])


@pytest.mark.skipif(find_spec("s3fs") is not None, reason="s3fs is installed")
def test_a_client_that_is_not_installed_ends_the_listing():
    with pytest.raises(MissingExtra, match=r"s3://bucket/: .*s3fs"):
        list_photos(["s3://bucket/"])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may enter all")
def test_a_folder_without_permission_is_a_problem(folder):
    (folder / "in" / "deep").chmod(0)
    try:
        listing = list_photos(["in"])
    finally:
        (folder / "in" / "deep").chmod(0o700)
    assert [photo.name for photo in listing.photos] == ["in/b.jpg"]
    assert listing.problems == [f"{folder / 'in' / 'deep'}: Permission denied"]


def test_object_storage_is_listed_with_addresses_as_names(memory):
    memory.pipe_file("/bucket/2019/b.jpg", b"bee")
    memory.pipe_file("/bucket/2020/a.jpg", b"ay")
    memory.pipe_file("/bucket/list.txt", b"memory://bucket/2020/a.jpg\n")
    addresses = ["memory:///bucket/2019/b.jpg", "memory:///bucket/2020/a.jpg"]
    assert names("memory://bucket") == addresses
    assert names("memory://bucket/*/a.jpg") == addresses[1:]
    assert names("memory://bucket/list.txt") == ["memory://bucket/2020/a.jpg"]


def test_shards_are_disjoint_and_stable(folder):
    sources = [f"in/{number}.jpg" for number in range(40)]
    shards = [names(*sources, shard=Shard(number, 3)) for number in (1, 2, 3)]
    assert [len(shard) for shard in shards] == [17, 13, 10]
    assert sorted([*shards[0], *shards[1], *shards[2]]) == sorted(sources)
    assert names(*sources, "in/new.jpg", shard=Shard(2, 3))[: len(shards[1])] == shards[1]


def test_a_row_group_is_in_one_shard(folder):
    data = {"image": [b"%d" % number for number in range(50)]}
    pq.write_table(pa.table(data), "p.parquet", row_group_size=20)
    shards = [list_photos(["p.parquet"], shard=Shard(n, 2)).photos for n in (1, 2)]
    groups = [{photo.group for photo in shard} for shard in shards]
    assert groups[0].isdisjoint(groups[1])
    assert sum(len(shard) for shard in shards) == 50


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_of_files_that_are_no_text_are_listed_and_sharded(folder):
    name = os.fsdecode(b"p\xff.parquet")
    with open(name, "wb") as file:
        pq.write_table(pa.table({"image": [b"data"]}), file)
    listings = [list_photos([name], shard=Shard(number, 2)) for number in (1, 2)]
    assert [photo.name for listing in listings for photo in listing.photos] == [
        r"p\udcff.parquet#0"
    ]


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_byte_and_the_text_that_it_is_written_as_are_two_photos(folder):
    names = [os.fsdecode(b"\xff.jpg"), r"\udcff.jpg"]
    photos = list_photos(names).photos
    assert [photo.name for photo in photos] == [r"\udcff.jpg", r"\\udcff.jpg"]
    assert [os.path.basename(photo.address) for photo in photos] == names
