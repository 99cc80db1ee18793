import json

import pytest

from edge.networks import precision
from edge.networks import precision_cache as remembered
from edge.networks.keypoint_model import EMBEDDED, open_model


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def measured(monkeypatch):
    """Ratios that are measured, in turn; what is left was not asked for."""
    ratios = [0.3, 0.9]
    monkeypatch.setattr(precision, "_least_ms_ratio", lambda *_: ratios.pop(0))
    return ratios


def test_the_faster_precision_is_measured_once(folder, measured):
    assert ".int8" in open_model(None).path.name
    assert ".int8" in open_model(None).path.name
    assert measured == [0.9]
    assert list(json.loads((folder / "precision.json").read_text()).values()) == ["int8"]
    assert open_model(None, threads=2).path == EMBEDDED  # of other threads nothing was known
    assert measured == []
    assert open_model(None, threads=2).path == EMBEDDED


def test_a_choice_is_for_these_bytes_on_this_processor(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"a")
    first = remembered.key_of([tmp_path / "a"], 1)
    assert first == remembered.key_of([tmp_path / "a"], 1) != remembered.key_of([tmp_path / "a"], 2)
    monkeypatch.setattr(remembered, "processor_name", lambda: "another")
    assert remembered.key_of([tmp_path / "a"], 1) != first
    monkeypatch.undo()
    (tmp_path / "a").write_bytes(b"b")
    assert remembered.key_of([tmp_path / "a"], 1) != first


@pytest.mark.parametrize("text", ["", "[]", '{"a": ', "\0"])
def test_a_damaged_file_is_as_none(text, folder, measured):
    folder.mkdir()
    (folder / "precision.json").write_text(text)
    assert ".int8" in open_model(None).path.name
    assert ".int8" in open_model(None).path.name
    assert measured == [0.9]


def test_where_nothing_can_be_kept_it_is_measured_each_time(tmp_path, monkeypatch, measured):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("EDGE_CACHE", str(tmp_path / "file"))
    assert ".int8" in open_model(None).path.name
    monkeypatch.setenv("EDGE_CACHE", "")
    assert open_model(None).path == EMBEDDED
    assert measured == []
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_newest_choices_are_kept(folder):
    for number in range(70):
        remembered.remember(str(number), "int8")
    assert remembered.recall("5") is None
    assert remembered.recall("6") == "int8"
    assert [path.name for path in folder.iterdir()] == ["precision.json"]


def test_by_default_it_is_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.delenv("EDGE_CACHE")
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    remembered.remember("a", "fp32")
    assert (tmp_path / "edge-keypoints" / "precision.json").is_file()
