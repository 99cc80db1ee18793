"""Warn when the eyes of a driver stay closed: a camera, or a video to try it with.

    python examples/drowsiness_alarm.py             # the first camera
    python examples/drowsiness_alarm.py film.mp4

Needs the extra `video`. It warns of eyes that were closed for a second, of a minute in which they
were closed for more than 15 % of the time (PERCLOS), and of yawns. A toy, not a safety device.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import edge
from edge.video.capture import Camera
from edge.video.display import Frame
from edge.video.reader import Video

MAX_CLOSED_S = 1.0
MAX_PERCLOS = 0.15
REPEAT_S = 10.0  # between two warnings of PERCLOS


def warnings(frames: Iterator[Frame]) -> Iterator[str]:
    """One line per warning, as soon as it is known."""
    track = edge.Tracker(edge.FaceKeypoints(points68=True, max_faces=1))
    analyze, events = edge.Analyzer(), edge.EventDetector()
    warned = -REPEAT_S
    for frame in frames:
        faces = track(frame.image, frame.time)
        for event in events(faces, analyze(frame.image, faces), frame.time):
            seconds = event.end - event.time
            if event.kind == "eyes_closed" and seconds >= MAX_CLOSED_S:
                yield f"{event.time:.1f} s: eyes closed for {seconds:.1f} s"
            elif event.kind == "yawn":
                yield f"{event.time:.1f} s: yawn of {seconds:.1f} s"
        for face in faces:
            share = None if face.track_id is None else events.perclos(face.track_id)
            if share is not None and share > MAX_PERCLOS and frame.time - warned >= REPEAT_S:
                warned = frame.time
                yield f"{frame.time:.1f} s: eyes closed {share:.0%} of the last minute"


def main(argv: list[str]) -> int:
    """Print warnings until the source ends."""
    frames = Video(argv[0]).frames() if argv else Camera(0).frames()
    for line in warnings(frames):
        print(f"\a{line}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
