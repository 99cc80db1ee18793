"""Send a face to an avatar: head, blinks, mouth and smile, over OSC by the VMC protocol.

    python examples/avatar.py               # to port 39539 of this computer
    python examples/avatar.py 192.168.0.7

Needs the extras `video` and `osc`. Blend shapes have the names of VRM 0; angles are Unity's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from pythonosc.udp_client import SimpleUDPClient

import edge
from edge.video.capture import Camera
from edge.video.display import Frame

Message = tuple[str, list[str | float]]
PORT = 39539
OPEN, CLOSED = 0.28, 0.08  # of eyes, between which the avatar's lids move


def messages(frames: Iterator[Frame]) -> Iterator[list[Message]]:
    """The messages of each frame with a face."""
    track = edge.Tracker(edge.FaceKeypoints(points68=True, max_faces=1))
    analyze, express, neutral = edge.Analyzer(), edge.Expressions(), edge.RunningNeutral()
    for frame in frames:
        for face in track(frame.image, frame.time):
            [state], shapes = analyze(frame.image, [face]), {}
            usual = neutral.update(face.track_id or 0, frame.time, express.raw([face])[0])
            if found := express(face, usual):
                shapes = {"Joy": found["smile"], "A": found["jaw_open"]}
            eyes = {"Blink_R": state.eye_opening_right, "Blink_L": state.eye_opening_left}
            for name, eye in eyes.items():
                if eye is not None:
                    shapes[name] = float(np.clip((OPEN - eye.value) / (OPEN - CLOSED), 0, 1))
            blends: list[Message] = [("/VMC/Ext/Blend/Val", [n, v]) for n, v in shapes.items()]
            if state.yaw_deg is not None and state.pitch_deg is not None:
                roll = edge.measure(face)["roll_deg"].value
                turn = rotation(-state.pitch_deg.value, -state.yaw_deg.value, roll)
                blends.append(("/VMC/Ext/Bone/Pos", ["Head", 0.0, 0.0, 0.0, *turn]))
            yield [("/VMC/Ext/OK", [1]), *blends, ("/VMC/Ext/Blend/Apply", [])]


def rotation(*degrees: float) -> tuple[float, float, float, float]:
    """Unity's quaternion x, y, z, w of turns about x, y and z, in its order z, x, y."""
    (x, y, z), (a, b, c) = np.sin(np.radians(degrees) / 2), np.cos(np.radians(degrees) / 2)
    values = (x*b*c + a*y*z, a*y*c - x*b*z, a*b*z - x*y*c, a*b*c + x*y*z)  # fmt: skip
    return tuple(float(value) for value in values)  # type: ignore[return-value]


if __name__ == "__main__":
    client = SimpleUDPClient(sys.argv[1] if sys.argv[1:] else "127.0.0.1", PORT)
    for frame_messages in messages(Camera(0).frames()):
        for address, values in frame_messages:
            client.send_message(address, values)
