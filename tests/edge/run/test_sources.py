import io
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from edge.formats.image_writer import save_image
from edge.image import load_image
from edge.run.sources import Source, expand


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "in" / "deeper").mkdir(parents=True)
    for name in ("b.JPG", "a.png", "film.mp4", "notes.txt", "deeper/c.webp"):
        (tmp_path / "in" / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kinds_and_names(*words, **settings):
    return [(source.kind, source.name) for source in expand(words, **settings)]


def test_a_folder_expands_to_its_images_and_videos_in_order(folder):
    expected = [("image", "in/a.png"), ("image", "in/b.JPG"), ("video", "in/film.mp4")]
    assert kinds_and_names("in") == expected
    assert ("image", "in/deeper/c.webp") in kinds_and_names("in", recursive=True)


def test_a_quoted_pattern_is_expanded(folder):
    assert kinds_and_names("in/*.png") == [("image", "in/a.png")]
    assert kinds_and_names("in/**/*.webp", recursive=True) == [("image", "in/deeper/c.webp")]


def test_other_arguments_are_sources_of_the_kind_that_their_name_says(folder, monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"no video")))
    (folder / "odd[1].jpg").touch()
    words = ("odd[1].jpg", "-", "camera:2", "crops.npy", "test.csv", "gone.jpg", "in/a.png")
    assert kinds_and_names(*words) == [
        ("image", "odd[1].jpg"), ("image", "-"), ("camera", "camera:2"),
        ("crops", "crops.npy"), ("crops", "test.csv"), ("image", "gone.jpg"),
        ("image", "in/a.png"),
    ]  # fmt: skip
    assert expand(["camera:2"])[0].number == 2


def test_results_under_any_name_are_no_sources_unless_they_are_named(folder, sample):
    save_image(load_image(sample), Path("in/out.png"))
    skipped = []
    assert "in/out.png" not in [source.name for source in expand(["in"], messages=skipped)]
    assert "in: skipped results of an earlier run: out.png" in skipped
    assert [source.name for source in expand(["in/*.png"])] == ["in/a.png"]
    assert kinds_and_names("in/out.png") == [("image", "in/out.png")]


@pytest.mark.parametrize("word", ["empty", "none*.jpg"])
def test_a_folder_or_pattern_without_images_is_an_empty_source(folder, word):
    (folder / "empty").mkdir()
    assert kinds_and_names(word) == [("empty", word)]


def test_a_name_too_long_for_a_file_is_a_source():
    assert kinds_and_names("x" * 300 + ".jpg") == [("image", "x" * 300 + ".jpg")]


def test_annotated_copies_in_a_folder_are_not_sources_unless_named(tmp_path):
    for name in ("a.jpg", "a.keypoints.jpg", "a.keypoints-2.jpg", "keypoints.jpg"):
        (tmp_path / name).touch()
    names = [Path(source.name).name for source in expand([str(tmp_path)])]
    assert names == ["a.jpg", "keypoints.jpg"]
    (named,) = expand([str(tmp_path / "a.keypoints.jpg")])
    assert named.kind == "image"


def test_what_a_folder_holds_beside_is_said(folder):
    messages = []
    expand(["in"], messages=messages)
    assert messages == [
        "in: skipped files that are no images or videos: notes.txt",
        "in: skipped subfolders without --recursive: 1",
    ]


def test_the_content_decides_on_the_kind(folder, sample):
    Path("in/photo.mp4").write_bytes(sample.read_bytes())
    Path("in/clip.jpg").write_bytes(b"\0\0\0\x14ftypisom\0\0\2\0mp41")
    Path("crops.bin").write_bytes(b"\x93NUMPY\1\0")
    assert {("image", "in/photo.mp4"), ("video", "in/clip.jpg")} < set(kinds_and_names("in"))
    assert kinds_and_names("in/clip.jpg", "crops.bin") == [
        ("video", "in/clip.jpg"), ("crops", "crops.bin"),
    ]  # fmt: skip


def test_a_pattern_through_links_finds_each_file_once(folder):
    Image.new("L", (8, 8)).save("in/deeper/d.png")
    os.symlink("deeper", "in/a-link")
    os.symlink("..", "in/deeper/up")
    assert kinds_and_names("in/**/d.png", recursive=True) == [("image", "in/deeper/d.png")]


def test_a_folder_with_subfolders_alone_hints_at_recursive(folder):
    (folder / "top" / "sub").mkdir(parents=True)
    (source,) = expand(["top"])
    assert source.reason == "contains no image or video; --recursive searches its 1 subfolders"


def test_subfolders_that_are_searched_are_not_called_skipped(folder):
    messages = []
    expand(["in"], recursive=True, messages=messages)
    assert messages == ["in: skipped files that are no images or videos: notes.txt"]


def test_aligned_faces_are_not_sources_unless_named(tmp_path):
    for name in ("a.jpg", "faces/a.face-0.png", "faces/film.frame-000012.face-3.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    names = [Path(source.name).name for source in expand([str(tmp_path)], recursive=True)]
    assert names == ["a.jpg"]
    (named,) = expand([str(tmp_path / "faces/a.face-0.png")])
    assert named.kind == "image"


def test_addresses_and_devices_are_live_sources_and_passwords_are_in_no_name():
    address = "rtsp://me:secret@camera/stream1"
    assert expand([address, "/dev/video2", "camera:pi", "camera:pi1"]) == [
        Source("stream", "rtsp://camera/stream1", address=address),
        Source("camera", "/dev/video2", 2),
        Source("pi", "camera:pi"),
        Source("pi", "camera:pi1", 1),
    ]


def test_a_table_of_photos_is_for_the_bulk_command(tmp_path):
    (tmp_path / "photos.parquet").write_bytes(b"PAR1")
    [source] = expand([str(tmp_path / "photos.parquet")], False, [])
    assert source.kind == "empty"
    assert "edge-keypoints bulk" in source.reason
