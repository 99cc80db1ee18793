"""What the faces of the live stream do, counted all the time: for Prometheus, and for MQTT."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge.analysis.head_events import FACING
from edge.face import Face
from edge.serve.live.followers import Measured

_COUNTED = {"blink": "blinks", "yawn": "yawns"}  # kinds of events
_MAX_STEP_S = 1.0  # between two frames; what happens in longer pauses is unknown


@dataclass(frozen=True, slots=True)
class Presence:
    """How many faces are in view, and how many of them face the camera."""

    faces: int
    facing: int


class Watcher(Collector):
    """Counts what the faces of a stream do; a collector of Prometheus.

    Attributes:
        presence: in the latest frame; None where that is unknown.
    """

    def __init__(self, publish: Callable[[Presence | None, float], None] | None = None) -> None:
        """Begin without frames.

        Args:
            publish: called with the presence and time of each frame, and with None and infinity
                where the source has failed.
        """
        self.presence: Presence | None = None
        self._publish = publish
        self._facing: set[int | None] = set()  # tracks
        self._time = math.inf
        self._facing_s = 0.0
        self._counts = dict.fromkeys(_COUNTED.values(), 0)

    def __call__(self, faces: Sequence[Face], measured: Measured, time: float) -> None:
        """Take the next frame; `time` in seconds."""
        elapsed = time - self._time
        if 0 < elapsed <= _MAX_STEP_S:
            self._facing_s += elapsed * len(self._facing)
        self._time = time
        self._facing = {
            face.track_id
            for face, assessment in zip(faces, measured.assessments, strict=True)
            if assessment.state is not None
            and self._is_facing(face.track_id, assessment.state.facing)
        }
        for event in measured.events:
            if event.kind in _COUNTED:
                self._counts[_COUNTED[event.kind]] += 1
        self._set(Presence(len(faces), len(self._facing)))

    def lose(self) -> None:
        """Note that the source has failed, and that nothing is known until the next frame."""
        self._time, self._facing = math.inf, set()
        self._set(None)

    def _is_facing(self, track: int | None, probability: float | None) -> bool:
        limit = FACING.leave if track in self._facing else FACING.enter
        return probability is not None and probability >= limit

    def _set(self, presence: Presence | None) -> None:
        self.presence = presence
        if self._publish:
            self._publish(presence, self._time)

    def collect(self) -> Iterator[Metric]:
        """The metrics, as Prometheus's client asks for them."""
        presence = self.presence
        faces, facing = (math.nan,) * 2 if presence is None else (presence.faces, presence.facing)
        any_face = faces if math.isnan(faces) else float(faces > 0)
        gauges = (
            ("edge_live_faces", "Faces in the live stream's latest frame; NaN: unknown.", faces),
            ("edge_live_any_face", "1 if there is a face, else 0.", any_face),
            ("edge_live_facing_faces", "Faces that face the camera.", facing),
        )
        for name, text, value in gauges:
            yield GaugeMetricFamily(name, text, value=value)
        text = "Time that faces faced the camera, summed over faces."
        yield CounterMetricFamily("edge_live_facing_seconds", text, value=self._facing_s)
        for name, count in self._counts.items():
            text = f"{name.capitalize()} of all faces."
            yield CounterMetricFamily(f"edge_live_{name}", text, value=count)
