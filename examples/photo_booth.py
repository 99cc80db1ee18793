"""Take a picture when everybody looks at the camera and smiles.

    python examples/photo_booth.py pictures/            # the first camera
    python examples/photo_booth.py pictures/ film.mp4

Needs the extra `video`. Of each such moment the best frame is kept: the one in which the worst face
is best (`edge.quality`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

import edge
from edge.video.capture import Camera
from edge.video.display import Frame
from edge.video.reader import Video

SMILE, LOOKS, CLOSED = 0.3, 0.6, 0.5  # activation; probabilities
LONGEST_S = 2.0  # of a moment, after which its best frame is taken
PAUSE_S = 3.0  # before the next picture


def pictures(frames: Iterator[Frame]) -> Iterator[Frame]:
    """The best frame of each moment in which all faces smile."""
    track = edge.Tracker(edge.FaceKeypoints(points68=True))
    analyze, express = edge.Analyzer(), edge.Expressions()
    moment: list[tuple[float, Frame]] = []
    taken = -PAUSE_S
    for frame in frames:
        faces = track(frame.image, frame.time)
        ready = bool(faces) and _are_ready(analyze(frame.image, faces), map(express, faces))
        if ready and frame.time - taken >= PAUSE_S:
            moment.append((min(edge.quality(frame.image, face).value for face in faces), frame))
        if moment and (not ready or frame.time - moment[0][1].time >= LONGEST_S):
            yield max(moment, key=lambda shot: shot[0])[1]
            taken, moment = frame.time, []


def _are_ready(states: Sequence[edge.FaceState], smiles: Iterator[dict[str, float] | None]) -> bool:
    return all(
        (state.facing or 0) >= LOOKS
        and max(state.closed_left or 0, state.closed_right or 0) < CLOSED
        and smile is not None
        and smile["smile"] >= SMILE
        for state, smile in zip(states, smiles, strict=True)
    )


if __name__ == "__main__":
    folder, *film = sys.argv[1:]
    for shot in pictures(Video(film[0]).frames() if film else Camera(0).frames()):
        Image.fromarray(shot.image).save(Path(folder) / f"booth-{shot.number}.jpg", quality=92)
        print(f"\a{shot.time:.1f} s: booth-{shot.number}.jpg", flush=True)
