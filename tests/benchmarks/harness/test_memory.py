from pathlib import Path

import numpy as np
import pytest

from benchmarks.harness import memory


def test_a_leak_shows_in_the_curve(monkeypatch):
    held = []
    monkeypatch.setattr(memory, "resident_mb", lambda: 100.0 + len(held))
    image = np.zeros((4, 4, 3), np.uint8)
    leaky = memory.measure_curve(iter([image] * 40), 40, held.append)
    assert leaky["curve"][0] == (2, 102.0)
    assert leaky["growth_mb"] == 36.0
    flat = memory.measure_curve(iter([image] * 40), 40, lambda _: None)
    assert flat["growth_mb"] == 0.0


def test_photos_have_many_sizes_and_are_reproducible():
    first, second = ([*memory.make_photos(8)] for _ in range(2))
    assert len({photo.shape for photo in first}) == 8
    for photo, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(photo, other)


def test_memory_is_read_in_megabytes():
    if not Path("/proc/self/statm").exists():
        pytest.skip("the system has no /proc")
    assert 10 < memory.resident_mb() < 100_000
