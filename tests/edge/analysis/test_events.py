import dataclasses

import numpy as np
import pytest

from edge.analysis.events import EventDetector
from edge.analysis.state import FaceState
from edge.face import Face
from edge.measures import Measure

RATE = 30.0


def face(number):
    zeros = np.zeros((15, 2), np.float32)
    return Face(np.zeros(4, np.float32), 1.0, zeros, np.zeros(15, np.float32), number)


def state(opening=0.3, lips=0.0, pitch=0.0, facing=0.1):
    eye = Measure(opening, 0.02)
    return FaceState(eye, eye, lip_opening=Measure(lips, 0.02), yaw_deg=Measure(0.0, 2.0),
                     pitch_deg=Measure(pitch, 2.0), facing=facing)  # fmt: skip


def test_events_name_the_face_whose_they_are():
    detector, events = EventDetector(), []
    for i in range(240):
        time = i / RATE
        blinks = state(opening=0.02 if 3 <= time < 3.2 else 0.3)
        yawns = state(lips=0.8 if 2 <= time < 5 else 0.0, facing=0.9)
        events += detector([face(4), face(7)], [blinks, yawns], time)
    events += detector.finish()
    found = {(event.track, event.kind) for event in events}
    assert found == {(4, "blink"), (7, "yawn"), (7, "facing")}
    (blink,) = (event.to_dict() for event in events if event.kind == "blink")
    assert list(blink) == ["time", "end", "track", "kind", "eye", "depth"]
    assert (blink["track"], blink["eye"]) == (4, "both")
    assert blink["time"] == pytest.approx(3, abs=0.05)


def test_a_face_that_leaves_ends_what_it_did():
    detector = EventDetector()
    for i in range(60):
        assert detector([face(1)], [state(facing=0.9)], i / RATE) == []
    assert detector([], [], 3.0) == []
    (event,) = detector([], [], 8.0)
    assert (event.kind, event.track) == ("facing", 1)
    assert detector.finish() == []


def test_perclos_is_known_after_a_while():
    detector = EventDetector()
    assert detector.perclos(1) is None
    for i in range(600):
        detector([face(1)], [state(opening=0.02 if i % 30 < 3 else 0.3)], i / RATE)
    assert detector.perclos(1) == pytest.approx(0.1, abs=0.01)


def test_what_cannot_be_measured_is_no_event():
    detector = EventDetector()
    for i in range(100):
        assert detector([face(1)], [FaceState()], i / RATE) == []
    assert detector.finish() == []


def test_faces_need_a_track():
    untracked = dataclasses.replace(face(1), track_id=None)
    with pytest.raises(ValueError, match=r"track them with edge\.Tracker"):
        EventDetector()([untracked], [state()], 0.0)
