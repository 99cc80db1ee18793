import json
import os
import time
from importlib.util import find_spec

import numpy as np
import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

import fsspec
import pyarrow.parquet as pq

from edge.bulk.partitions import Folder, Tally, part
from edge.bulk.photos import Photo
from edge.bulk.rows import Rows, make_schema
from edge.errors import SourceError
from edge.face import Face
from edge.keypoints import KEYPOINT_NAMES
from edge.records import csv_header

SETTINGS = {"model": "m 0", "min_score": 0.5}
NAME = f"part-{'0' * 32}.parquet"


def photos(count):
    return [Photo(f"{number}.jpg", f"/in/{number}.jpg") for number in range(count)]


@pytest.fixture
def rows():
    """A photo with two faces, one without, one that failed."""
    rows = Rows(KEYPOINT_NAMES)
    box, points = np.float32([1, 2, 30, 40]), np.arange(30, dtype=np.float32).reshape(15, 2)
    face = Face(box, 0.87654, points + 0.123, np.full(15, 1.5, np.float32))
    rows.add("a.jpg", [face, face])
    rows.add("b.jpg", [])
    rows.add_failed("c.jpg", "no such file")
    return rows


@pytest.fixture
def folder(tmp_path):
    folder = Folder(str(tmp_path / "out"), SETTINGS)
    folder.begin(resume=False)
    return folder


def test_partitions_are_named_by_what_goes_in_and_begin_where_they_always_do():
    whole = [*part(photos(10), 4, SETTINGS, set())]
    assert [len(one.photos) for one in whole] == [4, 4, 2]
    assert len({one.name for one in whole}) == 3
    assert [*part(photos(10), 4, SETTINGS, set())] == whole
    first = {photo.name for photo in whole[0].photos}
    assert [*part(photos(10), 4, SETTINGS, first)] == whole[1:]
    other = [*part(photos(10), 4, {**SETTINGS, "min_score": 0.4}, set())]
    assert {one.name for one in other}.isdisjoint(one.name for one in whole)
    (rest,) = part(photos(4), 4, SETTINGS, {"1.jpg"})
    assert [photo.name for photo in rest.photos] == ["0.jpg", "2.jpg", "3.jpg"]


def test_the_columns_are_those_of_the_csv_with_what_became_of_the_photo(rows):
    table = rows.to_table()
    assert table.schema.names == [*csv_header(KEYPOINT_NAMES), "status", "reason"]
    assert table.schema == make_schema(KEYPOINT_NAMES)
    first, second, without, failed = table.to_pylist()
    assert (first["image"], first["frame"], first["face"], second["face"]) == ("a.jpg", 0, 0, 1)
    assert first["score"] == pytest.approx(0.8765, abs=1e-6)
    assert first["box_h"] == 40
    assert first[f"{KEYPOINT_NAMES[14]}_y"] == pytest.approx(29.12, abs=1e-5)
    assert first["reason"] is None
    assert [row["status"] for row in (first, without, failed)] == ["face", "no face", "failed"]
    assert without["face"] is None
    assert without["score"] is None
    assert failed["reason"] == "no such file"
    assert Rows(KEYPOINT_NAMES).to_table().num_rows == 0


def test_a_partition_is_there_as_a_whole_and_says_what_it_holds(folder, rows, tmp_path):
    tally = folder.write(NAME, rows)
    assert tally == Tally(NAME, photos=3, faces=2, without_face=1, failed=1)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [NAME]
    assert folder.find(NAME) == tally
    assert folder.find(NAME.replace("0", "1")) is None
    assert folder.tallies() == {NAME: tally}
    assert folder.done([tally]) == {"a.jpg", "b.jpg", "c.jpg"}
    assert pq.read_table(tmp_path / "out").num_rows == 4
    folder.write(NAME, rows)  # by another worker, say
    assert pq.read_table(tmp_path / "out").num_rows == 4


def test_the_manifest_adds_up(folder, rows, tmp_path):
    tally = folder.write(NAME, rows)
    manifest = folder.write_manifest([tally])
    assert json.loads((tmp_path / "out" / "_manifest.json").read_text()) == manifest
    counts = {name: manifest[name] for name in ("photos", "faces", "without_face", "failed")}
    assert counts == {"photos": 3, "faces": 2, "without_face": 1, "failed": 1}
    assert manifest["settings"] == SETTINGS
    assert pq.read_table(tmp_path / "out").num_rows == 4  # who reads the folder passes it over


def test_a_folder_with_results_is_gone_on_with_only_if_asked(folder, rows, tmp_path):
    tally = folder.write(NAME, rows)
    with pytest.raises(SourceError, match="holds results already; add --resume"):
        folder.begin(resume=False)
    assert folder.begin(resume=True) == {NAME: tally}


def test_a_folder_with_a_manifest_alone_has_no_results(folder):
    folder.write_manifest([])
    assert folder.begin(resume=False) == {}


def test_a_folder_that_holds_something_else_is_left_alone(folder, tmp_path):
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    for resume in (False, True):
        with pytest.raises(SourceError, match=r"holds something else \(thesis.txt\)"):
            folder.begin(resume)
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be made or read"):
        Folder(str(tmp_path / "file"), SETTINGS).begin(resume=True)


def test_results_of_other_settings_are_not_mixed(folder, rows, tmp_path):
    folder.write(NAME, rows)
    other = Folder(str(tmp_path / "out"), {**SETTINGS, "min_score": 0.4})
    with pytest.raises(SourceError, match=r"min_score 0\.5, and this run has 0\.4"):
        other.begin(resume=True)


def test_a_partition_that_was_damaged_is_named(folder, rows, tmp_path):
    folder.write(NAME, rows)
    path = tmp_path / "out" / NAME
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(SourceError, match=f"{NAME}: is no whole partition.*take it away"):
        folder.begin(resume=True)


def test_what_killed_writers_left_goes_when_nobody_can_be_at_it(folder, tmp_path):
    old, young = (tmp_path / "out" / f".{NAME}.{who}" for who in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"PAR1")
    os.utime(old, (time.time() - 7200,) * 2)
    folder.begin(resume=True)
    assert not old.exists()
    assert young.exists()


def test_nothing_is_left_of_a_partition_that_cannot_be_written(folder, rows, tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SourceError, match=r"No space left on device.*finished partitions are kept"):
        folder.write(NAME, rows)
    assert [*(tmp_path / "out").iterdir()] == []


def test_a_folder_in_object_storage(rows):
    files = fsspec.filesystem("memory")
    files.store.clear()
    folder = Folder("memory://results/faces", SETTINGS)
    assert folder.begin(resume=False) == {}
    tally = folder.write(NAME, rows)
    folder.write_manifest([tally])
    assert folder.begin(resume=True) == {NAME: tally}
    assert folder.done([tally]) == {"a.jpg", "b.jpg", "c.jpg"}
    files.store.clear()


@pytest.fixture
def storage(monkeypatch):
    """Object storage that, as most, has no folders but those that something is in."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    files.pseudo_dirs[:] = [""]
    monkeypatch.setattr(files, "makedirs", lambda path, exist_ok: None)
    yield files
    files.store.clear()


def test_a_folder_in_object_storage_that_nothing_is_in(storage, rows):
    folder = Folder("memory://new/faces", SETTINGS)
    assert folder.begin(resume=False) == {}
    assert folder.begin(resume=True) == {}
    tally = folder.write(NAME, rows)
    assert folder.tallies() == {NAME: tally}


def test_object_storage_that_does_not_answer_is_said(storage, rows, monkeypatch):
    folder = Folder("memory://faces", SETTINGS)
    tally = folder.write(NAME, rows)

    def silent(*_, **__):
        raise RuntimeError("no answer\nand more of it")  # of a client's own kind

    for name in ("ls", "exists", "open"):
        monkeypatch.setattr(storage, name, silent)
    for call in (
        folder.tallies, lambda: folder.find(NAME), lambda: folder.done([tally]),
    ):  # fmt: skip
        with pytest.raises(SourceError, match=r"memory://faces: cannot be read \(no answer\)"):
            call()
    with pytest.raises(SourceError, match=r"cannot be made or read \(no answer\)"):
        folder.begin(resume=True)


def test_what_another_has_written_meanwhile_is_seen(rows, monkeypatch):
    files = fsspec.filesystem("memory")
    files.store.clear()
    folder = Folder("memory://seen", SETTINGS)
    folder.begin(resume=False)
    cached = [False]  # an object store's listing is kept, and asked before the store is
    monkeypatch.setattr(files, "exists", lambda path: not cached.pop())
    monkeypatch.setattr(files, "invalidate_cache", lambda path: cached.append(False))
    cached[:] = [True]
    tally = folder.write(NAME, rows)
    assert folder.find(NAME) == tally
    files.store.clear()


@pytest.mark.skipif(find_spec("gcsfs") is not None, reason="gcsfs is installed")
def test_what_an_address_needs_is_said():
    with pytest.raises(ImportError, match=r"gs://bucket: .*gcsfs"):
        Folder("gs://bucket", SETTINGS)
