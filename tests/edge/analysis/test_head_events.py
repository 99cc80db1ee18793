import numpy as np
import pytest

from edge.analysis.head_events import FacingDetector, SwingDetector

RATE = 30.0


def watch(angles, kind="nod"):
    detector = SwingDetector(kind)
    events = [e for i, angle in enumerate(angles) for e in detector(i / RATE, angle)]
    return events + list(detector.finish())


def times(seconds):
    return np.arange(round(seconds * RATE)) / RATE


def test_a_head_that_swings_nods():
    t = times(6)
    angle = np.where((t > 2) & (t < 4), 6 * np.sin(2 * np.pi * 1.5 * (t - 2)), 0.0)
    (event,) = watch(angle + 5)
    assert event.kind == "nod"
    assert event.time == pytest.approx(2.1, abs=0.2)
    assert event.end == pytest.approx(4.0, abs=0.3)
    assert event.details["swings"] == 6
    assert event.details["amplitude_deg"] == pytest.approx(11, abs=2)


@pytest.mark.parametrize(
    "angle",
    [
        np.zeros(300),
        np.linspace(-40, 40, 300),  # turns slowly
        10 * np.sin(2 * np.pi * 0.3 * times(20)),  # looks to and fro
        1.5 * np.sin(2 * np.pi * 2 * times(10)),  # trembles
        np.repeat([0.0, 15.0], 150),  # turns once
    ],
)
def test_other_motion_is_no_nod(angle):
    assert watch(angle) == []


def test_noise_is_no_nod():
    assert watch(np.random.default_rng(0).normal(0, 0.7, 18000)) == []


def test_facing_is_a_span():
    detector = FacingDetector()
    values = [0.1] * 10 + [0.9] * 60 + [0.1] * 30
    events = [e for i, v in enumerate(values) for e in detector(i / RATE, v)]
    (event,) = events
    assert (event.kind, round(event.time, 2), round(event.end, 2)) == ("facing", 0.33, 2.3)
    assert event.details == {"probability": pytest.approx(0.9)}
    assert list(detector.finish()) == []
