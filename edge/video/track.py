"""One face through a video: where it is expected, and whether a face that is seen is the same.

Legend: T tracks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from edge.crop import cut
from edge.geometry.affine import Matrix, compose, crop_matrix, invert, rotation_deg, scale_of
from edge.geometry.boxes import io_min, pairwise_intersection
from edge.geometry.face_frame import CROP, square_of_pose, upright_matrix_of_pose
from edge.refinement import MAX_ROLL_DEG, FacePass
from edge.video.smoothing import PointFilter

_PORTRAIT = 48  # px, side of the small picture
_SHADING = 6  # px, radius of the mean that is taken from it
# Correlations of such pictures of ytf's faces: of one face a moment later above 0.95; of different
# people below 0.6 in 999 of 1000 pairs.
_SAME, _LIKE = 0.6, 0.45
_LEARN = 0.1  # share of the newest picture in the one that is kept
_STEADY = 0.3  # share of the newest speed in that over the last few frames
_CHECK = 4  # frames from one such picture of a face that is apart from others to the next
_APART = 2.0  # widths of the wider box between the middles of faces
_MAX_JUMP, _MAX_GROWTH = 0.5, 1.5  # from one frame to the next, in sides of the face's square
# Two limits, so that a head tilted to about one of them is not cut out now this way, now that.
_UPRIGHT_DEG, _TILTED_DEG = 10.0, MAX_ROLL_DEG
_NEAR = 1.0  # sides of the square: within it a face that comes back may be the one just lost


@dataclass(frozen=True, slots=True)
class Motion:
    """How a face moves as a whole, px a second, `(2,)` each.

    Attributes:
        speed: from the frame before the last to the last.
        gain: of speed in that time.
        drift: speed over the last few frames.
    """

    speed: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    gain: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    drift: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))

    def ahead(self, seconds: float) -> NDArray[np.float64]:
        """How far the face moves in the next frame, so many seconds later, `(2,)` px."""
        return (self.speed + self.gain) * seconds

    def then(self, speed: NDArray[np.float64]) -> Motion:
        """The motion after one more frame."""
        drift = self.drift + _STEADY * (speed - self.drift)
        return Motion(speed, speed - self.speed, drift)


@dataclass(slots=True)
class Track:
    """One face through time; its keypoints here are as seen, not smoothed."""

    number: int
    seen: FacePass
    portrait: NDArray[np.float32]
    smooth: PointFilter | None
    time: float
    motion: Motion
    seconds: float = 0.0  # since the time before
    lost: bool = False
    unchecked: int = 0  # frames since it was last told by its looks
    turned: bool = False  # whether it is turned upright to be looked at

    def expected(self, time: float) -> NDArray[np.float64]:
        """Where the middle of the keypoints is in the next frame, at `time`, `(2,)` px."""
        return self.seen.centroid + self.motion.ahead(time - self.time)

    def aim(self, time: float, size: int) -> Matrix | None:
        """The matrix to the `size`×`size` px crop in which the face is looked at next.

        A face that stands nearly upright is cut out as it stands, in half the time. None where the
        keypoints span no face.
        """
        if self.seen.pose is None:
            return None
        pose = self.seen.pose.copy()
        pose[:, 2] += self.motion.ahead(time - self.time)
        self.turned = abs(rotation_deg(pose)) > (_UPRIGHT_DEG if self.turned else _TILTED_DEG)
        return (
            upright_matrix_of_pose(pose, size)
            if self.turned
            else crop_matrix(square_of_pose(pose), size)
        )

    def drifted(self, time: float) -> NDArray[np.float64]:
        """Where the middle of a face that was lost may be by now, `(2,)` px."""
        return self.seen.centroid + self.motion.drift * (time - self.time)

    def move(self, sighting: Sighting, time: float) -> None:
        """Go on to where the face was sighted."""
        seen = sighting.seen
        if time > self.time:
            moved = seen.centroid - self.seen.centroid
            self.motion = self.motion.then(moved / (time - self.time))
        self.unchecked += 1
        if sighting.portrait is not None:
            portrait = (1 - _LEARN) * self.portrait + _LEARN * sighting.portrait
            self.portrait, self.unchecked = portrait / np.linalg.norm(portrait), 0
        self.seconds = time - self.time
        self.seen, self.time, self.lost = seen, time, False


@dataclass(frozen=True, slots=True)
class Sighting:
    """A face that may be a track's: how it looks, and how much like the track's portrait.

    Where nobody else is about, it is mostly believed to be the track's: portrait None, likeness 1.
    """

    track: Track
    seen: FacePass
    portrait: NDArray[np.float32] | None
    likeness: float
    box: NDArray[np.float32]

    @property
    def is_like(self) -> bool:
        """Whether it may be the track's face by its looks."""
        return self.likeness >= _LIKE


def sight(seen: FacePass, track: Track) -> Sighting | None:
    """Compare a face with a track's portrait; None where its keypoints span no face."""
    portrait = portrait_of(seen)
    if portrait is None:
        return None
    likeness = float((portrait * track.portrait).sum())
    return Sighting(track, seen, portrait, likeness, seen.box)


def sight_again(seen: FacePass, track: Track, every: int) -> Sighting | None:
    """As `sight`; but compared only once in so many frames."""
    if track.unchecked < every - 1:
        return Sighting(track, seen, None, 1.0, seen.box)
    return sight(seen, track)


def how_often(tracks: list[Track]) -> list[int]:
    """Frames from one comparison of each track's face to the next: fewer, where another is near."""
    if len(tracks) < 2:
        return [_CHECK] * len(tracks)
    boxes = np.array([track.seen.box for track in tracks])
    middles, widths = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2]
    away = np.linalg.norm(middles[:, None] - middles[None], axis=2)
    near = away < _APART * np.maximum(widths[:, None], widths)
    touching = pairwise_intersection(boxes, boxes) > 0
    counts = (part.sum(axis=1).tolist() for part in (touching, near))  # with each face itself
    return [
        1 if touched > 1 else _CHECK // 2 if around > 1 else _CHECK
        for touched, around in zip(*counts, strict=True)
    ]


def compare_shared(sightings: list[Sighting], most: float) -> list[Sighting]:
    """The sightings, compared by looks where they share more than `most` of the smaller box.

    One that was only believed to be its track's would win over one that was compared.
    """
    compared = [
        sight(one.seen, one.track)
        if one.portrait is None
        and any(io_min(one.box, o.box) > most for o in sightings if o is not one)
        else one
        for one in sightings
    ]
    return [one for one in compared if one is not None]


def is_near(track: Track, seen: FacePass, now: float) -> bool:
    """Whether a face is where a track's should be by now, and as large."""
    pose, before = seen.pose, track.seen.pose
    if pose is None or before is None:
        return False
    side = scale_of(before) * CROP
    away = math.hypot(*(seen.centroid - track.expected(now)).tolist())
    grown = scale_of(pose) / scale_of(before)
    return bool(away <= _MAX_JUMP * side and 1 / _MAX_GROWTH <= grown <= _MAX_GROWTH)


def is_back(sighting: Sighting, now: float) -> bool:
    """Whether a face is a lost track's: by its looks, or by its place and, less, its looks."""
    if sighting.likeness >= _SAME:
        return True
    return sighting.is_like and is_in_place(sighting, now)


def is_in_place(sighting: Sighting, now: float) -> bool:
    """Whether a face is where a lost track's may be by now."""
    track = sighting.track
    away = math.hypot(*(sighting.seen.centroid - track.drifted(now)).tolist())
    return bool(away <= _NEAR * float(max(track.seen.box[2:])))


def portrait_of(seen: FacePass) -> NDArray[np.float32] | None:
    """A face's small picture without its shading, of mean 0 and length 1, float32 `(S, S)`."""
    if seen.pose is None:
        return None
    upright = upright_matrix_of_pose(seen.pose, _PORTRAIT)
    chip = cut(seen.crop, compose(upright, invert(seen.matrix)), _PORTRAIT)
    shading = np.asarray(Image.fromarray(chip).filter(ImageFilter.BoxBlur(_SHADING)), np.float32)
    details = chip - shading
    details -= details.mean()
    length = float(np.linalg.norm(details))
    return details / np.float32(length) if length > 0 else None
