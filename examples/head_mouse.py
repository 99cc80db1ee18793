"""Move the pointer by turning the head: a camera, and pyautogui or pynput if one is installed.

    pip install pynput
    python examples/head_mouse.py

Needs the extra `video`. Look straight ahead for the first second. The farther the head is turned,
the faster the pointer moves; small turns do not move it, so that one can look around the screen.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np

import edge
from edge.video.capture import Camera
from edge.video.display import Frame

REST_DEG = 4.0  # turns that move nothing
SPEED = 60.0  # px per second for each degree beyond
REST_S, LONGEST_S = 1.0, 0.2  # to learn the usual direction; between two frames at most


def steer(frames: Iterator[Frame], move: Callable[[float, float], None]) -> None:
    """Call `move` with steps to the right and down, px, until the frames end."""
    track, analyze = edge.Tracker(edge.FaceKeypoints(max_faces=1)), edge.Analyzer()
    learnt: list[tuple[float, float]] = []
    start = last = float("nan")
    for frame in frames:
        [state] = analyze(frame.image, track(frame.image, frame.time)) or [edge.FaceState()]
        if state.yaw_deg is None or state.pitch_deg is None:
            continue
        start = start if learnt else frame.time
        seconds, last = frame.time - last, frame.time
        angles = (-state.yaw_deg.value, -state.pitch_deg.value)  # to the subject's right, and down
        if frame.time - start < REST_S:
            learnt.append(angles)
        elif 0 < seconds <= LONGEST_S:
            turn = np.array(angles) - np.median(learnt, axis=0)
            speed = np.sign(turn) * np.maximum(np.abs(turn) - REST_DEG, 0) * SPEED
            if speed.any():
                move(*(speed * seconds).tolist())


def pointer() -> Callable[[float, float], None]:
    """The function that moves this computer's pointer."""
    try:
        from pynput.mouse import Controller
    except ImportError:
        import pyautogui

        return pyautogui.move  # type: ignore[no-any-return]
    return Controller().move  # type: ignore[no-any-return]


if __name__ == "__main__":
    sys.exit(steer(Camera(0).frames(), pointer()))
