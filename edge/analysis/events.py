"""Events of all faces of a video, from their states frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge.analysis.blinks import BlinkDetector
from edge.analysis.event import Event
from edge.analysis.head_events import FacingDetector, SwingDetector
from edge.analysis.mouth_events import MouthDetector
from edge.analysis.perclos import Perclos
from edge.analysis.state import FaceState
from edge.face import Face

_MAX_ABSENCE_S = 5.0  # after which what a face was doing has ended


class EventDetector:
    """Finds what the faces of one video do.

    Not for several threads at once, and for one video only: make one for each.
    """

    def __init__(self) -> None:
        """Begin without faces."""
        self._tracks: dict[int, _Track] = {}

    def __call__(
        self, faces: Sequence[Face], states: Sequence[FaceState], time: float
    ) -> list[Event]:
        """Take the next frame.

        Args:
            faces: of an `edge.Tracker`, with `track_id`.
            states: of each face, from an `edge.Analyzer`.
            time: of the frame, seconds, rising.

        Returns:
            What has just ended, in no order.

        Raises:
            ValueError: a face has no `track_id`.
        """
        events = []
        for face, state in zip(faces, states, strict=True):
            if face.track_id is None:
                raise ValueError("events need faces with a track_id; track them with edge.Tracker")
            track = self._tracks.setdefault(face.track_id, _Track(face.track_id))
            events += track.update(state, time)
        for number, track in list(self._tracks.items()):
            if time - track.time > _MAX_ABSENCE_S:
                events += self._tracks.pop(number).finish()
        return events

    def perclos(self, track_id: int) -> float | None:
        """The share of the last minute in which a face's eyes were closed, 0–1.

        Returns:
            None where too little is known.
        """
        track = self._tracks.get(track_id)
        return None if track is None else track.perclos.value

    def finish(self) -> list[Event]:
        """End the video; returns what was in progress."""
        tracks, self._tracks = self._tracks, {}
        return [event for track in tracks.values() for event in track.finish()]


class _Track:
    """The detectors of one face.

    Attributes:
        time: of its last state, seconds.
        perclos: of its eyes.
    """

    def __init__(self, number: int) -> None:
        self.time = 0.0
        self.perclos = Perclos()
        self._number = number
        self._blinks = BlinkDetector()
        self._mouth = MouthDetector()
        self._nods, self._shakes = SwingDetector("nod"), SwingDetector("shake")
        self._facing = FacingDetector()

    def update(self, state: FaceState, time: float) -> list[Event]:
        self.time = time
        events: list[Event] = []
        right, left = state.eye_opening_right, state.eye_opening_left
        if right is not None and left is not None:
            events += self._blinks(time, right.value, left.value, (right.error, left.error))
            self.perclos(time, (right.value + left.value) / 2, self._blinks.open_level)
        if state.lip_opening is not None:
            events += self._mouth(time, state.lip_opening.value)
        if state.yaw_deg is not None and state.pitch_deg is not None:
            events += self._nods(time, state.pitch_deg.value)
            events += self._shakes(time, state.yaw_deg.value)
        if state.facing is not None:
            events += self._facing(time, state.facing)
        return [replace(event, track=self._number) for event in events]

    def finish(self) -> list[Event]:
        events: list[Event] = []
        for detector in (self._blinks, self._mouth, self._nods, self._shakes, self._facing):
            events += detector.finish()
        return [replace(event, track=self._number) for event in events]
