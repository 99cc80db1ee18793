from types import SimpleNamespace

import pytest

pytest.importorskip("av")

from edge.video.losses import Losses


@pytest.mark.parametrize(("name", "total"), [("matroska,webm", 75), ("mpegts", 50), ("mpeg", 50)])
def test_only_a_duration_of_the_headers_tells_of_a_missing_end(name, total):
    """50 of 75 frames were read of a file that lasts 3 s, as its headers or estimates say."""
    container = SimpleNamespace(duration=3_000_000, format=SimpleNamespace(name=name))
    stream = SimpleNamespace(index_entries=[], frames=0)
    losses = Losses(container, stream, 25.0, is_truncated=False)
    packet = SimpleNamespace(
        pts=49, dts=49, duration=1, time_base=1 / 25, stream=stream, size=9, is_discard=False
    )
    losses.count_packet(packet)
    for _ in range(50):
        losses.count_read()
    losses.finish()
    assert losses.total == total
