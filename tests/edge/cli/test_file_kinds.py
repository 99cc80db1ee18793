import io
import os
from pathlib import Path

import pytest
from PIL import Image

from edge.cli.file_kinds import kind_of_file, media_kind
from edge.cli.folders import Skipped


def jpeg():
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "JPEG")
    return file.getvalue()


MP4 = b"\0\0\0\x14ftypisom\0\0\2\0mp41"


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("photo", jpeg(), "image"),
        ("photo.txt", jpeg(), "image"),
        ("photo.mp4", jpeg(), "image"),
        ("film.jpg", MP4, "video"),
        ("broken.jpg", b"nonsense", "image"),
        ("broken.MTS", b"nonsense", "video"),
        ("empty.jpe", b"", "image"),
        ("notes.txt", b"nonsense", "other"),
    ],
)
def test_the_content_decides_and_the_name_where_it_is_damaged(tmp_path, name, data, kind):
    (tmp_path / name).write_bytes(data)
    assert kind_of_file(tmp_path / name) == kind


def test_a_file_that_is_not_there_has_the_kind_of_its_name():
    assert kind_of_file(Path("gone.wmv")) == "video"
    assert kind_of_file(Path("gone.jfif")) == "image"
    assert kind_of_file(Path("nul\0byte")) == "other"


def test_a_named_pipe_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert kind_of_file(tmp_path / "pipe.jpg") == "image"


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("notes.txt", b"hello", "files that are no images or videos"),
        ("song.mp3", b"ID3\3", "files that are no images or videos"),
        ("raw.NEF", b"MM\0*\0\0\0\x08", "raw images of cameras, which are not supported"),
    ],
)
def test_what_is_left_out_has_a_reason(tmp_path, name, data, reason):
    (tmp_path / name).write_bytes(data)
    skipped = Skipped()
    assert media_kind(tmp_path / name, skipped) is None
    assert skipped.messages("in") == [f"in: skipped {reason}: {name}"]
