import io

import pytest

pytest.importorskip("av")

from edge.video.truncation import Extent, extent_of
from tests.made_videos import encode, numbered


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi", ".wmv", ".ts"])
def test_a_complete_file_is_not_truncated(tmp_path, suffix):
    codec = "libvpx" if suffix == ".webm" else "mpeg4"
    data = encode(tmp_path / f"film{suffix}", numbered(9), range(0, 360, 40), codec=codec)
    assert not extent_of(io.BytesIO(data.read_bytes())).is_truncated


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi", ".wmv"])
@pytest.mark.parametrize("share", [0.3, 0.99])
def test_a_file_that_is_cut_is_truncated(tmp_path, suffix, share):
    codec = "libvpx" if suffix == ".webm" else "mpeg4"
    data = encode(tmp_path / f"film{suffix}", numbered(9), range(0, 360, 40), codec=codec)
    content = data.read_bytes()
    file = io.BytesIO(content[: round(len(content) * share)])
    file.seek(7)
    assert extent_of(file).is_truncated
    assert file.tell() == 7


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", False),
        (b"GIF89a and so on", False),
        (b"\x00\x00\x00\x14ftypisom" + bytes(8) + b"\x00\x00\x00\x00mdat" + bytes(50), False),
        (b"\x00\x00\x00\x14ftypisom" + bytes(8) + b"\x00\x00\x00\x01mdat" + bytes(7), True),
        (b"\x00\x00\x00\x14ftypisom" + bytes(8) + b"trailing garbage", False),
        (b"\x00\x00\x00\x14ftypisom" + bytes(8) + b"\x00\x00\x00\x20sidx", True),
        (b"RIFF\xff\xff\xff\xffAVI LIST", False),  # a stream that was never finished
        (b"RIFF\x00\x01\x00\x00AVI LIST", True),
        (bytes.fromhex("1a45dfa38018538067ff") + bytes(9), False),  # a segment of unknown size
        (bytes.fromhex("1a45dfa3801853806789") + bytes(9), False),
        (bytes.fromhex("1a45dfa380185380678a") + bytes(9), True),
    ],
)
def test_sizes_are_read_as_the_standards_say(content, expected):
    assert extent_of(io.BytesIO(content)).is_truncated is expected


def test_the_length_of_a_wmv_file_is_known_where_its_end_is_missing(tmp_path):
    path = encode(tmp_path / "film.wmv", numbered(50), range(0, 2000, 40))
    content = path.read_bytes()
    whole, cut = (extent_of(io.BytesIO(content[:size])) for size in (None, len(content) // 2))
    assert (whole.is_truncated, cut.is_truncated) == (False, True)
    assert whole.seconds == cut.seconds == pytest.approx(2, abs=0.1)


def test_a_live_wmv_stream_has_no_length(tmp_path):
    path = encode(tmp_path / "film.wmv", numbered(9), range(0, 360, 40))
    content = bytearray(path.read_bytes())
    properties = content.index(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365"))
    content[properties + 88] |= 1  # flags, behind names, sizes and times
    assert extent_of(io.BytesIO(content[:200])) == Extent()
