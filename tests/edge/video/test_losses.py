from types import SimpleNamespace

import pytest

pytest.importorskip("av")

from edge.video.losses import Losses
from edge.video.truncation import Extent


def losses_of(name, extent=Extent(), indexed=0, duration_s=3):  # noqa: B008 - frozen
    """After 50 frames of 1/25 s in a file that has an index and a duration."""
    container = SimpleNamespace(duration=duration_s * 1_000_000, format=SimpleNamespace(name=name))
    stream = SimpleNamespace(index_entries=[None] * indexed, frames=0)
    losses = Losses(container, stream, 25.0, extent)
    for number in range(50):
        losses.count_packet(
            SimpleNamespace(
                pts=number, dts=number, duration=1, time_base=1 / 25, stream=stream, size=9,
                is_discard=False,
            )
        )  # fmt: skip
        losses.count_read()
    losses.finish()
    return losses


@pytest.mark.parametrize(
    ("name", "total"),
    [("matroska,webm", 75), ("gxf", 75), ("mpegts", 50), ("mpeg", 50), ("ogg", 50), ("swf", 50),
     ("mpegvideo", 50)],
)  # fmt: skip
def test_only_a_duration_of_the_headers_tells_of_a_missing_end(name, total):
    """50 of 75 frames were read of a file that lasts 3 s, as its headers or estimates say."""
    assert losses_of(name).total == total


@pytest.mark.parametrize(("name", "total"), [("avi", 75), ("gxf", 50), ("mpegts", 50)])
def test_only_an_index_of_all_frames_tells_of_a_missing_end(name, total):
    assert losses_of(name, indexed=75, duration_s=2).total == total


@pytest.mark.parametrize(
    ("name", "extent", "total"),
    [("asf", Extent(True, 3.0), 75), ("asf", Extent(False, 2.0), 50), ("asf", Extent(True), 51)],
)
def test_a_short_file_lacks_what_its_headers_say_or_one_frame_at_least(name, extent, total):
    assert losses_of(name, extent, duration_s=0).total == total
