import json
import os
import time

import numpy as np
import pytest

pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

import pyarrow.parquet as pq

from edge.bulk.output_folder import MANIFEST, OutputFolder
from edge.bulk.partitions import PartitionSummary
from edge.bulk.rows import Rows
from edge.errors import SourceError
from edge.face import Face
from edge.files import temporary_path
from edge.keypoints import KEYPOINT_NAMES

SETTINGS = {"model": "m 0", "min_score": 0.5}
NAME = f"part-{'0' * 32}.parquet"


@pytest.fixture
def rows():
    """Rows of a photo with two faces, one without a face, and one that failed."""
    rows = Rows(KEYPOINT_NAMES)
    box, points = np.float32([1, 2, 30, 40]), np.arange(30, dtype=np.float32).reshape(15, 2)
    face = Face(box, 0.87654, points + 0.123, np.full(15, 1.5, np.float32))
    rows.add("a.jpg", [face, face])
    rows.add("b.jpg", [])
    rows.add_failed("c.jpg", "no such file")
    return rows


@pytest.fixture
def folder(tmp_path):
    folder = OutputFolder(str(tmp_path / "out"), SETTINGS)
    folder.prepare(resume=False)
    return folder


def test_a_written_partition_is_found_with_its_counts_and_photos(folder, rows, tmp_path):
    summary = folder.write(NAME, rows)
    assert summary == PartitionSummary(NAME, photos=3, faces=2, without_face=1, failed=1)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [NAME]
    assert folder.find(NAME) == summary
    assert folder.find(NAME.replace("0", "1")) is None
    assert folder.summaries() == {NAME: summary}
    assert folder.finished_photos([summary]) == {"a.jpg", "b.jpg", "c.jpg"}
    assert pq.read_table(tmp_path / "out").num_rows == 4
    folder.write(NAME, rows)  # as a second worker may
    assert pq.read_table(tmp_path / "out").num_rows == 4


def test_the_manifest_holds_settings_totals_and_partitions(folder, rows, tmp_path):
    summary = folder.write(NAME, rows)
    manifest = folder.write_manifest([summary])
    assert json.loads((tmp_path / "out" / "_manifest.json").read_text()) == manifest
    counts = {"photos": 3, "faces": 2, "without_face": 1, "failed": 1}
    assert manifest == {
        "settings": SETTINGS, **counts, "partitions": [{"name": NAME, **counts}],
    }  # fmt: skip
    assert pq.read_table(tmp_path / "out").num_rows == 4  # readers of Parquet ignore it


def test_a_folder_with_results_is_used_only_to_resume(folder, rows, tmp_path):
    summary = folder.write(NAME, rows)
    with pytest.raises(SourceError, match="holds results already; add --resume"):
        folder.prepare(resume=False)
    assert folder.prepare(resume=True) == {NAME: summary}


def test_a_folder_with_nothing_but_a_manifest_counts_as_new(folder):
    folder.write_manifest([])
    assert folder.prepare(resume=False) == {}


def test_a_folder_with_other_files_is_refused(folder, tmp_path):
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    for resume in (False, True):
        with pytest.raises(SourceError, match=r"holds other files \(thesis.txt\)"):
            folder.prepare(resume)
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be created or read"):
        OutputFolder(str(tmp_path / "file"), SETTINGS).prepare(resume=True)


def test_results_of_other_settings_are_refused(folder, rows, tmp_path):
    folder.write(NAME, rows)
    other = OutputFolder(str(tmp_path / "out"), {**SETTINGS, "min_score": 0.4})
    with pytest.raises(SourceError, match=r"min_score 0\.5, and this run has 0\.4"):
        other.prepare(resume=True)


def test_a_damaged_partition_is_named(folder, rows, tmp_path):
    folder.write(NAME, rows)
    path = tmp_path / "out" / NAME
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(
        SourceError, match=f"{NAME}: not a complete partition .*; delete it and rerun"
    ):
        folder.prepare(resume=True)


def test_temporary_files_of_interrupted_runs_are_removed_once_they_are_old(folder, tmp_path):
    old = [temporary_path(tmp_path / "out" / name) for name in (NAME, MANIFEST)]
    old.append(tmp_path / "out" / f".{NAME}.0123abcd")  # as earlier versions named them
    recent = temporary_path(tmp_path / "out" / NAME)
    for path in (*old, recent):
        path.write_bytes(b"PAR1")
    for path in old:
        os.utime(path, (time.time() - 7200,) * 2)
    folder.prepare(resume=True)
    assert [*(tmp_path / "out").iterdir()] == [recent]


def test_no_part_remains_of_a_partition_that_cannot_be_written(folder, rows, tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SourceError, match=r"No space left on device.*finished partitions are kept"):
        folder.write(NAME, rows)
    assert [*(tmp_path / "out").iterdir()] == []


def test_a_folder_may_be_in_object_storage(rows, memory):
    folder = OutputFolder("memory://results/faces", SETTINGS)
    assert folder.prepare(resume=False) == {}
    summary = folder.write(NAME, rows)
    folder.write_manifest([summary])
    assert folder.prepare(resume=True) == {NAME: summary}
    assert folder.finished_photos([summary]) == {"a.jpg", "b.jpg", "c.jpg"}
    assert set(memory.store) == {f"/results/faces/{NAME}", f"/results/faces/{MANIFEST}"}


def test_object_storage_has_no_empty_folders(memory, rows, monkeypatch):
    monkeypatch.setattr(memory, "makedirs", lambda path, exist_ok: None)
    folder = OutputFolder("memory://new/faces", SETTINGS)
    assert folder.prepare(resume=False) == {}
    assert folder.prepare(resume=True) == {}
    summary = folder.write(NAME, rows)
    assert folder.summaries() == {NAME: summary}


def test_object_storage_that_does_not_answer_is_a_source_error(memory, rows, monkeypatch):
    folder = OutputFolder("memory://faces", SETTINGS)
    summary = folder.write(NAME, rows)

    def fail(*_, **__):
        raise RuntimeError("no answer\nand more")

    for name in ("ls", "exists", "open"):
        monkeypatch.setattr(memory, name, fail)
    for call in (
        folder.summaries, lambda: folder.find(NAME), lambda: folder.finished_photos([summary]),
    ):  # fmt: skip
        with pytest.raises(SourceError, match=r"memory://faces: cannot be read \(no answer\)"):
            call()
    with pytest.raises(SourceError, match=r"cannot be created or read \(no answer\)"):
        folder.prepare(resume=True)


def test_a_partition_of_another_process_is_found_past_the_cache(rows, memory, monkeypatch):
    folder = OutputFolder("memory://seen", SETTINGS)
    folder.prepare(resume=False)
    summary = folder.write(NAME, rows)
    fresh = []  # the client's listing is out of date until it is invalidated
    monkeypatch.setattr(memory, "exists", lambda path: path in fresh)
    monkeypatch.setattr(memory, "invalidate_cache", lambda root: fresh.append(f"{root}/{NAME}"))
    assert folder.find(NAME) == summary
