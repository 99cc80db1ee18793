import json

import pytest

from edge.networks import precision, precision_cache
from edge.networks.keypoint_model import EMBEDDED
from edge.networks.precision import open_keypoint_model


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def measured(monkeypatch):
    """Ratios that are measured, in turn; what is left was not asked for."""
    ratios = [0.8, 0.95]
    monkeypatch.setattr(precision, "_time_ratio", lambda *_: ratios.pop(0))
    return ratios


def test_the_faster_precision_is_measured_once(folder, measured):
    assert ".int8" in open_keypoint_model(None).path.name
    assert ".int8" in open_keypoint_model(None).path.name
    assert measured == [0.95]
    assert list(json.loads((folder / "precision.json").read_text()).values()) == [0.8]
    assert open_keypoint_model(None, threads=2).path == EMBEDDED  # no choice for 2 threads yet
    assert measured == []
    assert open_keypoint_model(None, threads=2).path == EMBEDDED


def test_a_choice_is_for_these_bytes_on_this_processor(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"a")
    first = precision_cache.cache_key([tmp_path / "a"], 1)
    assert (
        first
        == precision_cache.cache_key([tmp_path / "a"], 1)
        != precision_cache.cache_key([tmp_path / "a"], 2)
    )
    monkeypatch.setattr(precision_cache, "processor_name", lambda: "another")
    assert precision_cache.cache_key([tmp_path / "a"], 1) != first
    monkeypatch.undo()
    (tmp_path / "a").write_bytes(b"b")
    assert precision_cache.cache_key([tmp_path / "a"], 1) != first


@pytest.mark.parametrize("text", ["", "[]", '{"a": ', "\0"])
def test_a_damaged_file_is_as_none(text, folder, measured):
    folder.mkdir()
    (folder / "precision.json").write_text(text)
    assert ".int8" in open_keypoint_model(None).path.name
    assert ".int8" in open_keypoint_model(None).path.name
    assert measured == [0.95]


def test_where_nothing_can_be_kept_it_is_measured_each_time(tmp_path, monkeypatch, measured):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("EDGE_CACHE", str(tmp_path / "file"))
    assert ".int8" in open_keypoint_model(None).path.name
    monkeypatch.setenv("EDGE_CACHE", "")
    assert open_keypoint_model(None).path == EMBEDDED
    assert measured == []
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_newest_choices_are_kept(folder):
    for number in range(70):
        precision_cache.store_ratio(str(number), 0.5)
    assert precision_cache.load_ratio("5") is None
    assert precision_cache.load_ratio("6") == 0.5
    assert [path.name for path in folder.iterdir()] == ["precision.json"]


def test_by_default_it_is_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.delenv("EDGE_CACHE")
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    precision_cache.store_ratio("a", 0.5)
    assert (tmp_path / "edge-keypoints" / "precision.json").is_file()
