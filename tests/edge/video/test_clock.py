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


def test_times_rise_where_one_stamp_does_not():
    assert times([0, 40, 40, 80]) == pytest.approx([0, 0.04, 0.05, 0.08])
    assert times([0, 40, 30, 80, 120]) == pytest.approx([0, 0.04, 0.05, 0.08, 0.12])


def test_time_goes_on_where_joined_files_begin_anew():
    assert times([5000, 5040, 0, 40, 80]) == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])


def test_a_long_pause_stays():
    assert times([0, 40, 60_000]) == pytest.approx([0, 0.04, 60])


@pytest.mark.parametrize("frames", [2, 5, 12])
def test_time_goes_on_where_short_files_were_joined(frames):
    found = times([40 * n for n in range(frames)] * 3)
    assert found == pytest.approx([0.04 * n for n in range(3 * frames)], abs=1e-9)


def test_frames_of_one_stamp_follow_at_the_rate():
    assert times([0] * 5) == pytest.approx([0, 0.01, 0.05, 0.06, 0.1])


def test_stamps_that_overflow_go_on_and_those_that_begin_anew_too():
    overflow = Fraction(1 << 33, 90_000)
    day = float(overflow)

    def seconds(stamps):
        clock = Clock(0.04, overflow)
        return [clock.seconds(round(90_000 * s), Fraction(1, 90_000)) for s in stamps]

    # FFmpeg adds the overflow to stamps before the first, whether or not they overflowed.
    assert seconds([day - 0.04, day, day + 0.04]) == pytest.approx([0, 0.04, 0.08])
    joined = seconds([500, 500.04, day + 1.4, day + 1.44])
    assert joined == pytest.approx([0, 0.04, 0.08, 0.12])
