"""Keep the best picture of everyone who stays in front of a camera.

    python examples/door_camera.py visitors/            # the first camera
    python examples/door_camera.py visitors/ film.mp4

Needs the extra `video`. Who passes by within three seconds is not kept, and nobody is recognised.
Tell people that they are filmed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

import edge
from edge.image import Rgb
from edge.video.capture import Camera
from edge.video.display import Frame
from edge.video.reader import Video

STAY_S, GONE_S = 3.0, 5.0  # a visit is longer; a face that is not seen for so long has left


@dataclass
class Visit:
    """A face from `start` to `end`, seconds, and its best picture."""

    start: float
    end: float
    quality: float
    picture: Rgb


def visits(frames: Iterator[Frame]) -> Iterator[Visit]:
    """Each visit when it has ended, however short."""
    track = edge.Tracker(edge.FaceKeypoints(points68=True), max_gap=GONE_S)
    present: dict[int | None, Visit] = {}
    for frame in frames:
        image, now = frame.image, frame.time
        for face in track(image, now):
            value = edge.quality(image, face).value
            visit = present.setdefault(face.track_id, Visit(now, now, -1, image))
            visit.end = now
            if value > visit.quality:
                visit.quality, visit.picture = value, edge.align(image, face, size=224)
        gone = [number for number, visit in present.items() if now - visit.end > GONE_S]
        yield from map(present.pop, gone)
    yield from present.values()


if __name__ == "__main__":
    folder, *film = sys.argv[1:]
    for seen in visits(Video(film[0]).frames() if film else Camera(0).frames()):
        if seen.end - seen.start >= STAY_S:
            Image.fromarray(seen.picture).save(Path(folder) / f"visit-{seen.start:.0f}.png")
