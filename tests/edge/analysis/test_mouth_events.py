import numpy as np
import pytest

from edge.analysis.mouth_events import MouthDetector

RATE = 30.0


def watch(openings):
    detector = MouthDetector()
    events = [e for i, v in enumerate(openings) for e in detector(i / RATE, v)]
    return events + list(detector.finish())


def times(seconds):
    return np.arange(round(seconds * RATE)) / RATE


def test_a_wide_and_long_opening_is_a_yawn():
    t = times(10)
    opening = 0.9 * np.clip(np.sin((t - 2) / 5 * np.pi), 0, None) * ((t > 2) & (t < 7))
    (event,) = watch(opening)
    assert event.kind == "yawn"
    assert event.time == pytest.approx(2.7, abs=0.2)
    assert event.end == pytest.approx(6.5, abs=0.2)
    assert event.details["opening"] == pytest.approx(0.9, abs=0.01)


def test_a_mouth_that_opens_and_closes_talks():
    t = times(8)
    opening = np.where((t > 2) & (t < 6), 0.15 + 0.15 * np.sin(2 * np.pi * 4 * t), 0.0)
    (event,) = watch(opening)
    assert event.kind == "talking"
    assert event.time == pytest.approx(2.2, abs=0.4)
    assert event.end == pytest.approx(6.5, abs=0.6)


def test_a_closed_mouth_with_noise_does_nothing():
    noise = np.abs(np.random.default_rng(0).normal(0, 0.015, round(60 * RATE)))
    assert watch(noise) == []


def test_activity_is_that_of_the_last_second():
    detector = MouthDetector()
    for i, t in enumerate(times(2)):
        list(detector(i / RATE, 0.2 + 0.1 * np.sin(2 * np.pi * 4 * t)))
    assert detector.activity == pytest.approx(0.1 / np.sqrt(2), rel=0.05)
