"""What a person's face looks like at rest, learnt while it is tracked."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

_INTERVAL_S = 0.2  # between the frames that are kept
_SPAN_S = 60.0  # that they cover
_FULL_S = 5.0  # after which the person's own face counts fully
# Of the outputs: most people speak and smile less than half of the time, and do not put on the
# opposite expression.
_QUANTILE = 0.25
_FORGET_S = 10.0  # after which a track that is gone is forgotten


class RunningNeutral:
    """The lower quartile of each activation of each track over the last minute.

    It is weighted from nothing to fully over the first five seconds of a track. An expression that
    is kept for most of a minute counts as the person's usual face.
    """

    def __init__(self) -> None:
        """Start without tracks."""
        self._tracks: dict[int, deque[tuple[float, NDArray[np.float32]]]] = {}

    def update(self, track: int, time: float, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take a frame, and return the neutral of the track.

        Args:
            track: number of the track.
            time: of the frame, seconds; rising.
            raw: `Expressions.raw` of the face, `(K,)`.
        """
        kept = self._tracks.setdefault(track, deque())
        if np.isfinite(raw).all() and (not kept or time - kept[-1][0] >= _INTERVAL_S):
            kept.append((time, raw))
        while len(kept) > 1 and time - kept[0][0] > _SPAN_S:
            kept.popleft()
        self._forget(time)
        if not kept:
            return np.zeros_like(raw)
        weight = min((time - kept[0][0]) / _FULL_S, 1.0)
        quartile = np.quantile([values for _, values in kept], _QUANTILE, axis=0)
        return np.asarray(weight * quartile, np.float32)

    def _forget(self, time: float) -> None:
        gone = [
            track for track, kept in self._tracks.items() if kept and time - kept[-1][0] > _FORGET_S
        ]
        for track in gone:
            del self._tracks[track]
