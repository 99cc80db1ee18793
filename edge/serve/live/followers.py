"""Who follows the states of the live stream's faces, and how they are measured for them."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from edge.analysis.assessment import Assessment, Assessor
from edge.analysis.event import Event
from edge.analysis.quality import quality
from edge.face import Face
from edge.records import TIME_DIGITS, face_record
from edge.serve.assessing import FaceAssessor, Wanted
from edge.video.display import Frame

_MAX_WAITING = 64  # messages of a slow follower, about two seconds; older ones are dropped
_KEYS = ("id", "box", "score")


@dataclass(frozen=True, slots=True)
class Measured:
    """What is measured of a frame: of each face, in order, and the events that have just ended."""

    assessments: Sequence[Assessment] = ()
    events: Sequence[Event] = ()


class Follower:
    """One client that receives the states of each frame.

    Attributes:
        quality: whether it asks for the quality of shots too.
        changed: set when there are messages.
    """

    def __init__(self, quality: bool) -> None:
        """Begin without messages."""
        self.quality = quality
        self.changed = asyncio.Event()
        self._waiting: deque[bytes] = deque(maxlen=_MAX_WAITING)

    def give(self, message: bytes) -> None:
        """Add a message; the oldest is dropped where too many wait."""
        self._waiting.append(message)
        self.changed.set()

    def take(self) -> list[bytes]:
        """The messages that have come since the last call."""
        messages = list(self._waiting)
        self._waiting.clear()
        return messages


class LiveAssessor:
    """Measures the faces of a stream's frames, in the stream's thread."""

    def __init__(self, always: bool = False) -> None:
        """Measure nothing until it is asked for; with `always`, each frame."""
        self._always = always
        self._faces = FaceAssessor()
        self._assessor: Assessor | None = None

    def start_video(self) -> None:
        """Forget the tracks, whose numbers restart."""
        if self._assessor:
            self._assessor.start_video()

    def wanted(self, followers: Collection[Follower]) -> Wanted:
        """What is measured for those who follow now."""
        present = list(followers)  # others may come while it is read
        quality = any(follower.quality for follower in present)
        return Wanted(analyze=self._always or bool(present), quality=quality)

    def __call__(self, frame: Frame, faces: Sequence[Face], wanted: Wanted) -> Measured:
        """Measure the tracked faces of a frame; nothing where nothing is wanted."""
        if not wanted.is_assessed:
            return Measured()
        if self._assessor is None:
            self._assessor = Assessor(analyze=self._faces.analyzer)
        assessments = self._assessor(frame.image, faces, frame.time)
        if wanted.quality:
            assessments = [
                replace(assessment, quality=quality(frame.image, face))
                for face, assessment in zip(faces, assessments, strict=True)
            ]
        return Measured(assessments, self._assessor.events)


def to_message(frame: Frame, faces: Sequence[Face], measured: Measured) -> bytes:
    """A frame's faces and what has just ended, as JSON."""
    records = []
    for face, assessment in zip(faces, measured.assessments, strict=True):
        record = face_record(face)
        records.append({**{key: record[key] for key in _KEYS}, **assessment.to_dict()})
    message = {
        "frame": frame.number,
        "time": round(frame.time, TIME_DIGITS),
        "faces": records,
        "events": [event.to_dict() for event in measured.events],
    }
    return json.dumps(message).encode()
