"""Synthetic videos in which faces are hard to find: forty entries, exits, crossings, turns, visits.

Coordinates are px of the frame of `benchmarks.datasets.synthetic_videos`, 640×480.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

from benchmarks.datasets.synthetic_videos import RATE, Motion, Pose, Scene

_MIDDLE = (320.0, 240.0)
_SIDES = {"left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1)}
_OUTSIDE = (420.0, 330.0)  # px from the middle, at which nothing of a face is in the frame
_AWAY: Pose = (-2000.0, -2000.0, 1.0, 0.0)
_VISITS = (1, 2, 3, 4, 5, 6, 9, 15)  # frames
_TURNS = ((90.0, 0.5), (-90.0, 0.5), (90.0, 1.5), (-90.0, 1.5))  # degrees, seconds


def scenes() -> dict[str, Scene]:
    """The scenes, by name."""
    return {
        **{f"entry, {name}": scene for name, scene in _passages(entering=True)},
        **{f"exit, {name}": scene for name, scene in _passages(entering=False)},
        **{f"crossing, {speed:g} px/s": _crossing(speed) for speed in (60.0, 120.0, 240.0, 400.0)},
        **{f"turn, {angle:g}° in {s:g} s": _turn(angle, s) for angle, s in _TURNS},
        **{f"visit, {count} frames": _visit(count) for count in _VISITS},
        **{f"visit, {count} frames, small": _visit(count, 0.4) for count in _VISITS},
    }


def _passages(entering: bool) -> Iterator[tuple[str, Scene]]:
    for (side, (x, y)), seconds in product(_SIDES.items(), (0.5, 2.0)):
        yield f"{side} in {seconds:g} s", Scene((_passage(x, y, seconds, entering),), seconds + 1.5)


def _passage(x: int, y: int, seconds: float, entering: bool) -> Motion:
    def motion(t: float) -> Pose:
        share = min(max(t - 0.5, 0.0) / seconds, 1.0)
        outside = 1 - share if entering else share
        return (
            _MIDDLE[0] + x * outside * _OUTSIDE[0],
            _MIDDLE[1] + y * outside * _OUTSIDE[1],
            1.0,
            0.0,
        )

    return motion


def _crossing(speed: float) -> Scene:
    seconds = 440 / speed
    to_right: Motion = lambda t: (100 + speed * t, 235.0, 1.0, 0.0)  # noqa: E731 - one line each
    to_left: Motion = lambda t: (540 - speed * t, 250.0, 1.1, 0.0)  # noqa: E731
    return Scene((to_right, to_left), seconds)


def _turn(angle: float, seconds: float) -> Scene:
    def motion(t: float) -> Pose:
        phase = min(max(t - 0.5, 0.0) / (2 * seconds), 1.0)  # there and back
        return *_MIDDLE, 1.0, angle * math.sin(math.pi * phase)

    return Scene((motion,), 2 * seconds + 1)


def _visit(frames: int, scale: float = 1.0) -> Scene:
    def motion(t: float) -> Pose:
        is_there = 1.0 <= t + 1e-9 < 1.0 + frames / RATE
        return (400.0, 200.0, scale, 0.0) if is_there else _AWAY

    return Scene((motion,), 2.5)
