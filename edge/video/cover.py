"""Where faces are hidden in each frame of a video, from what is found within a second of it.

A detector misses faces at the frame's edge, half covered, blurred or turned, mostly just before or
after it finds them. Hence a face is hidden where it was found, between the places where it was
found, and for a second before and after, where it was and where its motion leads, the wider the
longer it has not been found. At a cut this ends, as there is another scene beyond it.

Legend: K keypoints.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from edge.face import Face
from edge.geometry.affine import crop_matrix, invert, transform
from edge.geometry.boxes import io_min
from edge.geometry.face_frame import CROP, MEAN_FACE, square_of_box
from edge.image import Rgb
from edge.video.appearance import Look, is_cut, thumbnail

REACH_S = 1.0  # for which a face is hidden before and after it is found
_WEAK_REACH_S = 0.25  # likewise of what was never certain to be a face
_GROWTH = 0.6  # of the hidden region's size, a second
_MAX_DISTANCE = 0.8  # between a face and where it is expected, widths of its box
_DISTANCE_GROWTH = 2.0  # by which that rises, widths a second
_MAX_RATIO = 1.7  # between the widths of one face in successive frames
_SAME_PLACE = 0.5  # IoMin from which on two finds of one frame are one face
_MOTION_S = 0.25  # over which a velocity is measured
_MIN_MOTION_S = 0.06  # shortest time that gives one
_STEP = 0.4  # between the regions that are hidden along a way, widths

Vector = NDArray[np.float64]  # (2,)


@dataclass(slots=True)
class _Path:
    """The finds of one face, by time.

    Attributes:
        since: time of the last cut before it.
        until: time of the cut that ended it.
    """

    since: float
    until: float = math.inf
    times: list[float] = field(default_factory=list)
    faces: list[Face] = field(default_factory=list)

    def append(self, face: Face, time: float) -> None:
        self.times.append(time)
        self.faces.append(face)

    def expected(self, time: float) -> Vector:
        """The centre of the face's box at a time after its last find."""
        return _centre(self.faces[-1]) + self.velocity(-1) * (time - self.times[-1])

    def velocity(self, end: int) -> Vector:
        """Of the centre at the last find (−1) or the first (0), px a second; 0 if not known."""
        at = self.times[end]
        near = [i for i, time in enumerate(self.times) if abs(time - at) <= _MOTION_S]
        first, last = near[0], near[-1]
        seconds = self.times[last] - self.times[first]
        if seconds < _MIN_MOTION_S:
            return np.zeros(2)
        return (_centre(self.faces[last]) - _centre(self.faces[first])) / seconds

    def cover(self, time: float, min_score: float) -> list[Face]:
        """What is to be hidden of this face at `time`; nothing where it was found itself."""
        if not self.since <= time < self.until:
            return []
        following = bisect_left(self.times, time)
        if following < len(self.times) and self.times[following] == time:
            return []
        is_face = max(face.score for face in self.faces) >= min_score
        reach_s = REACH_S if is_face else _WEAK_REACH_S
        if 0 < following < len(self.times):
            return [self._between(following, time)]
        end = 0 if following == 0 else -1
        seconds = time - self.times[end]
        if abs(seconds) > reach_s:
            return []
        return _along(self.faces[end], self.velocity(end) * seconds, abs(seconds))

    def _between(self, following: int, time: float) -> Face:
        before, after = self.faces[following - 1], self.faces[following]
        elapsed, left = time - self.times[following - 1], self.times[following] - time
        weight = elapsed / (elapsed + left)
        face = Face(
            before.box + np.float32(weight) * (after.box - before.box),
            min(before.score, after.score),
            before.keypoints + np.float32(weight) * (after.keypoints - before.keypoints),
            before.error,
        )
        return _grown(face, min(elapsed, left))


class Cover:
    """Collects what is found in each frame, and gives what is to be hidden."""

    def __init__(self, min_score: float) -> None:
        """Begin a video.

        Args:
            min_score: from which on a find is surely a face, 0–1; weaker ones that are followed by
                no better are hidden for a quarter of a second around them, not a second.
        """
        self._min_score = min_score
        self._paths: list[_Path] = []
        self._found: dict[float, list[Face]] = {}
        self._last_cut = -math.inf
        self._thumbnail: Look | None = None

    def add(self, image: Rgb, time: float, faces: Sequence[Face]) -> None:
        """Add the next frame.

        Args:
            image: uint8 `(H, W, 3)`.
            time: of the frame, seconds, rising.
            faces: all that may be a face, the more certain ones first.
        """
        self._note_cut(image, time)
        self._found[time] = [*self._found.get(time, ()), *faces]
        self._paths = [path for path in self._paths if time - path.times[-1] <= 3 * REACH_S]
        distinct: list[Face] = []
        for face in faces:
            if all(io_min(face.box, other.box) <= _SAME_PLACE for other in distinct):
                distinct.append(face)
        self._extend(distinct, time)

    def at(self, time: float) -> list[Face]:
        """What is to be hidden in an added frame; those of a second later must be added, too.

        Frames are asked for in order.
        """
        self._found = {at: faces for at, faces in self._found.items() if at >= time}
        found = self._found.get(time, [])
        ways = [face for path in self._paths for face in path.cover(time, self._min_score)]
        return [*found, *(_from_box(face) for face in found), *ways]

    def _note_cut(self, image: Rgb, time: float) -> None:
        before, self._thumbnail = self._thumbnail, thumbnail(image)
        if before is not None and is_cut(before, self._thumbnail):
            self._last_cut = time
            for path in self._paths:
                path.until = min(path.until, time)

    def _extend(self, faces: list[Face], time: float) -> None:
        """Give each find to the path that expects it nearest, or to a new one."""
        open_paths = [
            path
            for path in self._paths
            if path.until > time and 0 < time - path.times[-1] <= REACH_S
        ]
        pairs = sorted(
            (distance, i, j)
            for i, path in enumerate(open_paths)
            for j, face in enumerate(faces)
            if (distance := _distance(path, face, time)) < 1
        )
        paths, taken = set(range(len(open_paths))), set(range(len(faces)))
        for _, i, j in pairs:
            if i in paths and j in taken:
                open_paths[i].append(faces[j], time)
                paths.remove(i)
                taken.remove(j)
        for j in sorted(taken):
            path = _Path(self._last_cut)
            path.append(faces[j], time)
            self._paths.append(path)


def _distance(path: _Path, face: Face, time: float) -> float:
    """From where a path expects its face, relative to what is allowed; above 1 is another face."""
    last = path.faces[-1]
    widths = float(face.box[2]), float(last.box[2])
    if max(widths) > _MAX_RATIO * min(widths):
        return math.inf
    allowed = max(widths) * (_MAX_DISTANCE + _DISTANCE_GROWTH * (time - path.times[-1]))
    # A face may have stopped, or gone on.
    ways = (path.expected(time), _centre(last))
    return min(math.hypot(*(_centre(face) - way).tolist()) for way in ways) / allowed


def _along(face: Face, way: Vector, seconds: float) -> list[Face]:
    """A face at its place, where its motion has led, and between them."""
    steps = math.ceil(math.hypot(*way.tolist()) / (_STEP * max(float(face.box[2]), 1.0)))
    shifts = [way * (i / max(steps, 1)) for i in range(steps + 1)]
    grown = _grown(face, seconds)
    return [_shifted(grown, shift) for shift in shifts]


def _shifted(face: Face, shift: Vector) -> Face:
    offset = shift.astype(np.float32)
    box = face.box + np.concatenate([offset, np.zeros(2, np.float32)])
    return replace(face, box=box, keypoints=face.keypoints + offset)


def _grown(face: Face, seconds: float) -> Face:
    """A face enlarged about its centre, as it was not found for so long."""
    factor = np.float32(1 + _GROWTH * seconds)
    centre = _centre(face).astype(np.float32)
    size = face.box[2:] * factor
    box = np.concatenate([centre - size / 2, size]).astype(np.float32)
    return replace(face, box=box, keypoints=centre + factor * (face.keypoints - centre))


def _from_box(face: Face) -> Face:
    """An upright face in the same box, as the keypoints of a weak find may lie anywhere."""
    matrix = invert(crop_matrix(square_of_box(face.box), CROP))
    return replace(face, keypoints=transform(matrix, MEAN_FACE).astype(np.float32))


def _centre(face: Face) -> Vector:
    return np.asarray(face.box[:2] + face.box[2:] / 2, np.float64)
