"""Hiding the faces of a video: every frame is searched, and written a second later."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from edge.anonymization import Part, hide
from edge.facekeypoints import FaceKeypoints
from edge.image import Rgb
from edge.run.reporter import ImageResult
from edge.video.cover import REACH_S, Cover


def open_finder(detect: FaceKeypoints, min_score: float) -> FaceKeypoints:
    """The same networks for finding all that may be a face.

    Args:
        detect: the open networks.
        min_score: from which on something is hidden, 0–1; at most that of `detect`.
    """
    score = min(min_score, detect.min_score)
    settings = {"min_score": score, "max_faces": None, "points68": False}
    return FaceKeypoints(**{**detect.settings.to_dict(), **settings})


class HiddenFrames:
    """Frames in order, given back with their faces hidden when the second after them is known."""

    def __init__(self, part: Part, min_score: float) -> None:
        """Hide `part`; from `min_score` on a find is surely a face."""
        self._part = part
        self._cover = Cover(min_score)
        self._waiting: deque[tuple[Rgb, float]] = deque()

    def add(self, result: ImageResult) -> Iterator[tuple[Rgb, float]]:
        """Add the next frame; gives the frames, with their times, that can be written now."""
        time = result.time or 0.0
        self._cover.add(result.image, time, [*result.faces, *result.candidates])
        self._waiting.append((result.image, time))
        while self._waiting[0][1] < time - REACH_S:
            yield self._next()

    def finish(self) -> Iterator[tuple[Rgb, float]]:
        """The frames that still wait, at the end of the video."""
        while self._waiting:
            yield self._next()

    def _next(self) -> tuple[Rgb, float]:
        image, time = self._waiting.popleft()
        return hide(image, self._cover.at(time), self._part), time
