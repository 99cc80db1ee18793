import math

import numpy as np
import pytest

pytest.importorskip("fastapi")

import edge
from edge.analysis.assessment import Assessment
from edge.analysis.event import Event
from edge.analysis.state import FaceState
from edge.serve.live.followers import Measured
from edge.serve.live.watching import Presence, Watcher
from edge.serve.metrics import Metrics

NOWHERE = np.zeros(4, np.float32), 1.0, np.zeros((15, 2), np.float32), np.ones(15, np.float32)


def see(watch, time, *facing, events=()):
    """Give a frame with faces that face the camera with these probabilities."""
    faces = [edge.Face(*NOWHERE, track_id=number) for number in range(len(facing))]
    assessments = [Assessment(state=FaceState(facing=share)) for share in facing]
    watch(faces, Measured(assessments, events), time)


def metrics_of(watch):
    metrics = Metrics()
    metrics.add_collector(watch)
    lines = metrics.render().decode().splitlines()
    return dict(line.split(" ") for line in lines if line.startswith("edge_live"))


def test_what_is_not_known_is_not_a_number():
    metrics = metrics_of(Watcher())
    assert metrics == {
        "edge_live_faces": "NaN",
        "edge_live_any_face": "NaN",
        "edge_live_facing_faces": "NaN",
        "edge_live_facing_seconds_total": "0.0",
        "edge_live_blinks_total": "0.0",
        "edge_live_yawns_total": "0.0",
    }


def test_faces_attention_blinks_and_yawns_are_counted():
    watch = Watcher()
    see(watch, 0.0, 0.9, 0.1)
    see(watch, 0.5, 0.5, 0.1, events=[Event("blink", 0.1, 0.3), Event("nod", 0.1, 0.3)])
    see(watch, 1.0, 0.5, 0.9, events=[Event("yawn", 0.1, 0.3), Event("blink", 0.4, 0.6)])
    see(watch, 1.5, 0.3, 0.9)
    metrics = metrics_of(watch)
    assert metrics["edge_live_faces"] == "2.0"
    assert metrics["edge_live_any_face"] == "1.0"
    assert metrics["edge_live_facing_faces"] == "1.0"
    assert metrics["edge_live_facing_seconds_total"] == "2.0"  # one, one, and two faces
    assert metrics["edge_live_blinks_total"] == "2.0"
    assert metrics["edge_live_yawns_total"] == "1.0"


def test_the_time_of_a_pause_is_unknown():
    watch = Watcher()
    see(watch, 0.0, 0.9)
    see(watch, 60.0, 0.9)
    watch.lose()
    assert metrics_of(watch)["edge_live_faces"] == "NaN"
    see(watch, 60.5, 0.9)
    assert metrics_of(watch)["edge_live_facing_seconds_total"] == "0.0"


def test_each_frame_is_published():
    published = []
    watch = Watcher(lambda *what: published.append(what))
    see(watch, 0.0, 0.9, 0.1)
    see(watch, 0.1)
    watch.lose()
    assert published == [(Presence(2, 1), 0.0), (Presence(0, 0), 0.1), (None, math.inf)]
