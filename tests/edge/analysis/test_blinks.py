import numpy as np
import pytest

from edge.analysis.blinks import BlinkDetector

RATE = 30.0


def watch(openings, rate=RATE, left=None, errors=(0.0, 0.0)):
    """All events of one person whose right eye is open this far in each frame."""
    detector, events = BlinkDetector(), []
    for i, value in enumerate(openings):
        other = value if left is None else left[i]
        events += detector(i / rate, value, other, errors)
    return events + detector.finish()


def series(seconds, *closures, rate=RATE, noise=0.0, level=0.3):
    """Openings of an eye that is closed in each `(start, end)`, seconds."""
    times = np.arange(round(seconds * rate)) / rate
    values = np.full(len(times), level)
    for start, end in closures:
        values[(times >= start - 1e-9) & (times < end - 1e-9)] = 0.02
    return values + np.random.default_rng(0).normal(0, noise, len(times))


@pytest.mark.parametrize("frames", [2, 3, 6, 12])
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_blinks_are_found_with_their_times(frames, noise):
    closed = [(t, t + frames / RATE) for t in (2.0, 4.0, 7.0)]
    events = watch(series(10, *closed, noise=noise))
    assert [event.kind for event in events] == ["blink"] * 3
    for event, (start, end) in zip(events, closed, strict=True):
        assert event.time == pytest.approx(start, abs=0.04)
        assert event.end == pytest.approx(end, abs=0.04)
        assert event.details["eye"] == "both"
        assert event.details["depth"] > 0.8


def test_steady_eyes_do_not_blink_however_noisy():
    for noise in (0.0, 0.02, 0.05):
        assert watch(series(120, noise=noise)) == []


def test_a_single_wrong_frame_is_no_blink():
    values = series(5)
    values[90] = 0.15
    assert watch(values) == []


def test_one_eye_that_closes_is_named():
    values = series(6, (3.0, 3.2))
    (event,) = watch(values, left=series(6))
    assert (event.kind, event.details["eye"]) == ("blink", "right")
    (event,) = watch(series(6), left=values)
    assert event.details["eye"] == "left"


def test_one_eye_alone_is_believed_only_where_it_is_measured_well():
    values = series(6, (3.0, 3.2))
    assert len(watch(values, left=series(6), errors=(0.01, 0.05))) == 1
    assert watch(values, left=series(6), errors=(0.05, 0.01)) == []
    (event,) = watch(values, errors=(0.05, 0.05))  # both
    assert event.details["eye"] == "both"


def test_what_moves_both_eyes_alike_is_no_blink_unless_it_is_unusual():
    common = np.repeat(np.random.default_rng(1).normal(0, 0.04, 900), 2)
    common = np.clip(common, -0.08, 0.08)
    common[600:602] = -0.13  # less than four deviations, and so are dips of the mean of both
    assert watch(0.3 + common) == []
    (event,) = watch(0.3 + np.where(np.arange(1800) // 6 == 100, -0.25, common))
    assert event.time == pytest.approx(20, abs=0.05)


def test_a_long_closure_is_not_a_blink():
    (event,) = watch(series(8, (3.0, 5.0)))
    assert event.kind == "eyes_closed"
    assert (event.time, event.end) == (pytest.approx(3, abs=0.05), pytest.approx(5, abs=0.05))


def test_a_closure_at_the_end_is_finished():
    (event,) = watch(series(5, (3.0, 9.0)))
    assert event.kind == "eyes_closed"
    assert event.end == pytest.approx(5, abs=0.05)


def test_who_looks_down_does_not_close_the_eyes_and_still_blinks():
    values = series(10, (7.0, 7.2))
    looks_down = np.arange(len(values)) / RATE > 4
    values[looks_down] *= 0.55
    (event,) = watch(values)
    assert event.kind == "blink"
    assert event.time == pytest.approx(7, abs=0.05)


def test_a_gap_without_the_face_is_no_event():
    detector = BlinkDetector()
    values = series(3)
    events = [detector(i / RATE, v, v) for i, v in enumerate(values)]
    events += [detector(9 + i / RATE, 0.02, 0.02) for i in range(10)]
    assert not any(events)


def test_other_frame_rates():
    for rate in (15.0, 60.0):
        events = watch(series(8, (2.0, 2.2), (5.0, 5.3), rate=rate), rate)
        assert [event.kind for event in events] == ["blink"] * 2


def test_the_open_level_is_that_of_the_person():
    detector = BlinkDetector()
    for i, value in enumerate(series(20, (5, 9), (12, 12.2), level=0.42)):
        detector(i / RATE, value, value)
    assert detector.open_level == pytest.approx(0.42)


def test_an_eye_that_is_not_seen_has_no_say():
    values = series(6, (3.0, 3.2))
    (event,) = watch(np.full(len(values), 0.4), left=values, errors=(0.3, 0.04))
    assert (event.kind, event.details["eye"]) == ("blink", "both")
    assert event.time == pytest.approx(3.0, abs=0.04)
    # One that is seen well says that it stayed open.
    assert watch(np.full(len(values), 0.4), left=values, errors=(0.01, 0.04)) == []


def test_eyes_that_are_not_seen_do_not_blink():
    values = series(6, (3.0, 3.2))
    assert watch(values, errors=(0.12, 0.12)) == []
    assert len(watch(values, errors=(0.05, 0.05))) == 1


def test_noise_of_the_last_half_minute_counts():
    dip = np.where(np.arange(300) // 5 == 50, 0.16, 0.3)
    (event,) = watch(dip)
    assert event.time == pytest.approx(250 / RATE, abs=0.04)
    noisy = series(20, noise=0.085)
    assert watch(np.concatenate([noisy, dip])) == []
    assert len(watch(np.concatenate([noisy, np.where(dip < 0.2, 0.0, dip)]))) == 1


def dips(seconds, *frames, depth=0.2):
    """Openings of an open eye that is lower for three frames from each of some on."""
    values = series(seconds, noise=0.01)
    for first in frames:
        values[first : first + 3] -= depth
    return values


def test_an_eye_that_dips_alone_is_believed_less():
    # Once both dip together, as deep as each does alone now and then; errors too large for winks.
    alone, errors = range(60, 840, 60), (0.05, 0.05)
    noise = np.random.default_rng(2).normal(0, 0.06, (2, 900))
    steady = dips(30, 870) + noise[0], dips(30, 870) + noise[1]
    (event,) = watch(steady[0], left=steady[1], errors=errors)
    assert event.time == pytest.approx(29, abs=0.05)
    right = dips(30, *alone, 870) + noise[0]
    left = dips(30, *(frame + 30 for frame in alone), 870) + noise[1]
    assert watch(right, left=left, errors=errors) == []


def test_a_blink_that_trembles_is_one():
    values = series(6, (3.0, 3.2))
    values[92:94] = 0.28
    assert len(watch(values)) == 1
