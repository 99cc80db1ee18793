"""Tracking metrics: predicted faces of synthetic videos against the ground truth.

Legend: T frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.face import Face

_MATCH_DISTANCE = 0.25  # of a face's larger side: mean keypoint distance below which it matches
_LAGS = np.arange(0, 4.01, 0.05)  # frames
_STILL_PX = 0.5  # motion per frame below which there is no lag to measure
_SETTLING_FRAMES = 10  # at the beginning of a video, left out of the jitter
_LAG_FROM_FRAME = 5

_MISSING = np.full((15, 2), np.nan)


@dataclass(slots=True)
class Trajectory:
    """One actor through a video.

    Attributes:
        truth: for each frame the true keypoints `(15, 2)` px, NaN where the actor is not visible.
        predicted: for each frame those of the matching face, NaN where there is none.
        track_ids: of the matching faces, in order.
    """

    truth: list[NDArray[np.float64]] = field(default_factory=list)
    predicted: list[NDArray[np.float64]] = field(default_factory=list)
    track_ids: list[int] = field(default_factory=list)

    @property
    def id_switches(self) -> int:
        """How often the track ID changed."""
        return int(np.count_nonzero(np.diff(self.track_ids)))

    def append(self, truth: NDArray[np.float64] | None, faces: Sequence[Face]) -> None:
        """Add a frame.

        Args:
            truth: keypoints `(15, 2)` px, or None where the actor is not visible.
            faces: all faces predicted in the frame.
        """
        self.truth.append(_MISSING if truth is None else truth)
        self.predicted.append(_MISSING)
        if truth is None or not faces:
            return
        distances = [float(np.linalg.norm(f.keypoints - truth, axis=1).mean()) for f in faces]
        nearest = faces[int(np.argmin(distances))]
        if min(distances) < _MATCH_DISTANCE * float(max(nearest.box[2:])):
            self.predicted[-1] = nearest.keypoints.astype(np.float64)
            if nearest.track_id is not None:
                self.track_ids.append(nearest.track_id)


def share_found(trajectories: Sequence[Trajectory]) -> float:
    """Share of the frames with a visible actor in which it was found, 0–1."""
    visible = ~np.isnan(_first_x([t.truth for t in trajectories]))
    found = ~np.isnan(_first_x([t.predicted for t in trajectories]))
    return float(found[visible].mean())


def mean_error(trajectories: Sequence[Trajectory], others: Sequence[Trajectory]) -> float:
    """Mean distance from the ground truth, px, in the frames in which `others` found the face too.

    Args:
        trajectories: to measure.
        others: the same actors in the same video, predicted by another method.
    """
    errors = [
        np.linalg.norm(np.subtract(ours.predicted, ours.truth), axis=2)
        + 0 * np.linalg.norm(theirs.predicted, axis=2)  # NaN where the other method found none
        for ours, theirs in zip(trajectories, others, strict=True)
    ]
    return float(np.nanmean(np.concatenate(errors)))


def jitter(trajectories: Sequence[Trajectory]) -> float:
    """Frame-to-frame change of the error, root mean square over coordinates, px."""
    changes = [
        np.diff(np.subtract(t.predicted, t.truth)[_SETTLING_FRAMES:], axis=0) for t in trajectories
    ]
    return float(np.sqrt(np.nanmean(np.concatenate(changes) ** 2)))


def lag(trajectory: Trajectory) -> float:
    """Frames by which predictions lag behind: the delay of the truth that fits them best."""
    truth, predicted = np.array(trajectory.truth), np.array(trajectory.predicted)
    if np.nanmax(np.abs(np.diff(truth, axis=0)), initial=0.0) < _STILL_PX:
        return 0.0
    bias = np.nanmean(predicted - truth, axis=0)
    residuals = [
        float(np.nanmean((predicted - bias - _delayed(truth, delay))[_LAG_FROM_FRAME:] ** 2))
        for delay in _LAGS
    ]
    return float(_LAGS[int(np.argmin(residuals))])


def _delayed(truth: NDArray[np.float64], delay: float) -> NDArray[np.float64]:
    """Keypoints `(T, 15, 2)` delayed by a fraction of frames, linearly interpolated."""
    times = np.arange(len(truth), dtype=np.float64) - delay
    low = np.clip(np.floor(times).astype(int), 0, len(truth) - 1)
    high = np.clip(low + 1, 0, len(truth) - 1)
    weight = (times - low)[:, None, None]
    return np.asarray(truth[low] * (1 - weight) + truth[high] * weight)


def _first_x(keypoints: Sequence[Sequence[NDArray[np.float64]]]) -> NDArray[np.float64]:
    """The first coordinate of each frame, NaN where the frame has no keypoints."""
    return np.concatenate([np.array(points)[:, 0, 0] for points in keypoints])
