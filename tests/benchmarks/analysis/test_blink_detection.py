import pytest

from benchmarks.analysis.blink_detection import Counts, of_kind
from benchmarks.datasets.blink_films import Blink
from edge.analysis.event import Event


def test_each_event_finds_one_blink():
    counts = Counts()
    blinks = [Blink(1.0, 1.2), Blink(1.3, 1.5), Blink(4.0, 4.2), Blink(9.0, 9.2)]
    events = [Event("blink", 1.1, 1.4), Event("blink", 4.05, 4.15), Event("blink", 7.0, 7.2)]
    counts.add(blinks, events)
    assert (counts.blinks, counts.events, counts.matched) == (4, 3, 2)
    summary = counts.summary()
    assert summary["precision"] == pytest.approx(2 / 3, abs=1e-4)
    assert summary["recall"] == 0.5
    assert summary["f1"] == pytest.approx(4 / 7, abs=1e-4)


def test_no_blinks_and_no_events_are_right():
    assert Counts().summary()["f1"] == 1.0


def test_events_are_selected_by_kind():
    events = [Event("blink", 0, 1), Event("nod", 0, 1), Event("yawn", 0, 1)]
    assert of_kind(events, "nod", "yawn") == events[1:]
