"""Blinks that are found in films, against those that were made.

A blink is found if an event of that kind overlaps it in time, and each event counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.datasets.blink_films import TILE, Actor, Blink, frames
from edge.analysis.analyzer import Analyzer
from edge.analysis.event import Event
from edge.analysis.events import EventDetector
from edge.facekeypoints import FaceKeypoints
from edge.video.tracker import Tracker

_SLACK_S = 0.05  # by which an event may miss a blink


@dataclass(slots=True)
class Counts:
    """How many blinks there are, how many events, and how many of both belong together."""

    blinks: int = 0
    events: int = 0
    matched: int = 0

    def add(self, blinks: Sequence[Blink], events: Sequence[Event]) -> None:
        """Count those of one face."""
        self.blinks += len(blinks)
        self.events += len(events)
        free = list(events)
        for blink in blinks:
            for event in free:
                if event.time < blink.end + _SLACK_S and event.end > blink.start - _SLACK_S:
                    free.remove(event)
                    self.matched += 1
                    break

    def summary(self) -> dict[str, float]:
        """`blinks`, `events`, `precision`, `recall` and `f1`."""
        precision = self.matched / self.events if self.events else 1.0
        recall = self.matched / self.blinks if self.blinks else 1.0
        both = precision + recall
        return {
            "blinks": self.blinks,
            "events": self.events,
            "precision": round(precision, 4),
            "recall": round(recall, 4),
            "f1": round(2 * precision * recall / both if both else 0.0, 4),
        }


def watch(
    detect: FaceKeypoints,
    analyze: Analyzer,
    actors: list[Actor],
    blinks: list[list[Blink]],
    seconds: float,
    rng: np.random.Generator,
) -> list[list[Event]]:
    """Watch a film; returns the events of each actor, in order.

    Args:
        detect: finds the faces.
        analyze: measures them.
        actors: who is in the film.
        blinks: of each.
        seconds: duration of the film.
        rng: of its noise and motion.
    """
    tracker, detector = Tracker(detect), EventDetector()
    actor_of: dict[int, int] = {}
    events: list[Event] = []
    for time, image in frames(actors, blinks, seconds, rng):
        faces = tracker(image, time)
        for face in faces:
            if face.track_id is not None:
                actor_of[face.track_id] = int(face.keypoints[:, 0].mean() // TILE)
        events += detector(faces, analyze(image, faces), time)
    events += detector.finish()
    found: list[list[Event]] = [[] for _ in actors]
    for event in events:
        if event.track is not None:
            found[actor_of[event.track]].append(event)
    return found


def of_kind(events: Sequence[Event], *kinds: str) -> list[Event]:
    """Those events that are of one of some kinds."""
    return [event for event in events if event.kind in kinds]
