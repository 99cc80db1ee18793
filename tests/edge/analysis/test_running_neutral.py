import numpy as np
import pytest

from edge import RunningNeutral


def test_the_lower_quartile_comes_in_over_five_seconds():
    neutral = RunningNeutral()
    found = {}
    for frame in range(101):
        time = frame / 10
        raw = np.array([0.4 if frame % 10 else 0.9], np.float32)  # now and then more
        found[time] = float(neutral.update(1, time, raw)[0])
    assert found[0.0] == 0
    assert found[2.0] == pytest.approx(0.4 * 2 / 5, abs=0.01)
    assert found[10.0] == pytest.approx(0.4, abs=1e-6)


def test_tracks_are_apart_and_forgotten():
    neutral = RunningNeutral()
    for second in range(10):
        neutral.update(1, second, np.array([0.5], np.float32))
    assert neutral.update(2, 9, np.array([0.1], np.float32))[0] == 0
    neutral.update(2, 25, np.array([0.1], np.float32))
    assert neutral.update(1, 26, np.array([0.5], np.float32))[0] == 0


def test_only_the_last_minute_counts():
    neutral = RunningNeutral()
    for second in range(130):
        level = np.array([0.1 if second < 60 else 0.6], np.float32)
        found = neutral.update(1, second, level)
    assert found[0] == pytest.approx(0.6)


def test_what_is_unknown_is_not_kept():
    neutral = RunningNeutral()
    assert neutral.update(1, 0, np.array([np.nan], np.float32))[0] == 0
