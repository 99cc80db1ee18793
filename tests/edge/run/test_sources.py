from pathlib import Path

import pytest

from edge.run.sources import expand


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "in" / "deeper").mkdir(parents=True)
    for name in ("b.JPG", "a.png", "film.mp4", "notes.txt", "deeper/c.webp"):
        (tmp_path / "in" / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*words, **settings):
    return [(source.kind, source.name) for source in expand(words, **settings)]


def test_a_folder_gives_its_pictures_and_videos_by_name(folder):
    expected = [("picture", "in/a.png"), ("picture", "in/b.JPG"), ("video", "in/film.mp4")]
    assert found("in") == expected
    assert ("picture", "in/deeper/c.webp") in found("in", recursive=True)


def test_a_pattern_is_matched_here_where_the_shell_has_not(folder):
    assert found("in/*.png") == [("picture", "in/a.png")]
    assert found("in/**/*.webp", recursive=True) == [("picture", "in/deeper/c.webp")]


def test_everything_else_is_named_as_it_is(folder):
    (folder / "odd[1].jpg").touch()
    words = ("odd[1].jpg", "-", "camera:2", "crops.npy", "test.csv", "gone.jpg", "in/a.png")
    assert found(*words) == [
        ("picture", "odd[1].jpg"), ("picture", "-"), ("camera", "camera:2"),
        ("crops", "crops.npy"), ("crops", "test.csv"), ("picture", "gone.jpg"),
        ("picture", "in/a.png"),
    ]  # fmt: skip
    assert expand(["camera:2"])[0].number == 2


@pytest.mark.parametrize("word", ["empty", "none*.jpg"])
def test_what_holds_nothing_is_a_source_to_be_reported(folder, word):
    (folder / "empty").mkdir()
    assert found(word) == [("nothing", word)]


def test_a_name_that_no_file_can_have_is_left_to_whoever_opens_it():
    assert found("x" * 300 + ".jpg") == [("picture", "x" * 300 + ".jpg")]


def test_what_an_earlier_run_left_is_no_input(tmp_path):
    for name in ("a.jpg", "a.keypoints.jpg", "a.keypoints-2.jpg", "keypoints.jpg"):
        (tmp_path / name).touch()
    names = [Path(source.name).name for source in expand([str(tmp_path)])]
    assert names == ["a.jpg", "keypoints.jpg"]
    (named,) = expand([str(tmp_path / "a.keypoints.jpg")])
    assert named.kind == "picture"
