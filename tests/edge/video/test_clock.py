from fractions import Fraction

import pytest

from edge.video.clock import Clock

MS = Fraction(1, 1000)


def times(stamps, unit=MS, interval=0.04):
    clock = Clock(interval)
    return [clock.seconds(stamp, unit) for stamp in stamps]


def test_times_count_from_the_first_frame():
    clock = Clock(0.04)
    assert [clock.seconds(s, MS) for s in (1400, 1433, 1500)] == pytest.approx([0, 0.033, 0.1])
    assert clock.origin == 1.4


def test_a_rate_that_is_no_decimal_is_exact():
    assert times([0, 1001, 30 * 1001], Fraction(1, 30000))[2] == 1.001


def test_frames_without_stamps_follow_at_the_rate():
    assert times([None, None, None]) == pytest.approx([0, 0.04, 0.08])
    assert times([100, None, 180]) == pytest.approx([0, 0.04, 0.08])


def test_times_never_fall():
    assert times([0, 40, 30, 80]) == pytest.approx([0, 0.04, 0.04, 0.08])


def test_time_goes_on_where_joined_files_begin_anew():
    assert times([5000, 5040, 0, 40, 80]) == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])


def test_a_long_pause_stays():
    assert times([0, 40, 60_000]) == pytest.approx([0, 0.04, 60])
