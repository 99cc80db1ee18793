"""One face through a video: its predicted position, and whether a detected face is the same one.

Faces are re-identified by an appearance template: a small, illumination-normalised image of zero
mean and unit norm, compared by correlation. Where a face's look jumps from one frame to the next,
as at a cut, its position says nothing of who it is, and the template alone decides.

Points and displacements are complex numbers `x + iy`.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from edge.geometry.affine import Similarity
from edge.geometry.boxes import io_min
from edge.geometry.face_frame import CROP, Box, crop_of_pose
from edge.refinement import MAX_ROLL_DEG, FacePass
from edge.video.appearance import Look, Template, has_changed, look_of, template_of
from edge.video.smoothing import FaceFilter

# Correlations of templates of YouTube Faces: of one face a moment later above 0.95; of different
# people below 0.6 in 999 of 1000 pairs.
_SAME_SIMILARITY = 0.6  # from which on two faces are the same wherever they are
_PLAUSIBLE_SIMILARITY = 0.45  # from which on they may be the same where the position fits
_TEMPLATE_RATE = 0.1  # weight of the newest template in the running mean
_VELOCITY_S = 0.093  # time constant of the running mean of velocities
_MAX_PREDICTED_S = 0.25  # after which a head's motion says nothing of where it is
# Seconds between two comparisons of a face that is apart from others, and near another.
_CHECK_APART_S, _CHECK_NEAR_S = 4 / 30, 2 / 30
_ROUNDING_S = 0.0015  # of two times
_APART = 2.0  # distance between face centres, in widths of the wider box
_MAX_JUMP = 0.5  # from one frame to the next, in sides of the face's square
_MAX_GROWTH = 1.5  # from one frame to the next, factor
# Hysteresis: a crop is rotated from the larger roll on until the roll falls below the smaller.
_ROTATE_BELOW_RAD, _ROTATE_ABOVE_RAD = math.radians(10.0), math.radians(MAX_ROLL_DEG)
_REAPPEAR_DISTANCE = 1.0  # sides of the box within which a new face may be the one just lost


@dataclass(frozen=True, slots=True)
class Motion:
    """How a face moves as a whole, px a second.

    Attributes:
        velocity: between the last two frames.
        change: of the velocity in that time.
        mean_velocity: running mean over the last few frames.
    """

    velocity: complex = 0j
    change: complex = 0j
    mean_velocity: complex = 0j

    def displacement(self, seconds: float) -> complex:
        """Predicted displacement to the next frame, `seconds` later, px."""
        return 0j if seconds > _MAX_PREDICTED_S else (self.velocity + self.change) * seconds

    def updated(self, velocity: complex, seconds: float) -> Motion:
        """The motion after one more frame, `seconds` after the last."""
        rate = 1 - math.exp(-seconds / _VELOCITY_S)
        mean = self.mean_velocity + rate * (velocity - self.mean_velocity)
        return Motion(velocity, velocity - self.velocity, mean)


@dataclass(slots=True)
class Track:
    """One face through time.

    Attributes:
        number: its id.
        face: as it was last observed, unsmoothed.
        template: running mean of its appearance templates.
        smooth: the filter of its points, or None.
        time: of the last frame in which it was seen, seconds.
        motion: of the whole face.
        interval: seconds between the last two frames in which it was seen.
        compared: when it was last compared with its template, seconds.
        lost: whether it was not seen in the last frame.
        look: of the face when it was last found.
        next_look: of what is in its place now.
        jumped: whether its look changed at once in the frame in which it was lost.
        rotated: whether its crop is rotated upright.
    """

    number: int
    face: FacePass
    template: Template
    smooth: FaceFilter | None
    time: float
    motion: Motion
    compared: float
    interval: float = 0.0
    lost: bool = False
    look: Look | None = None
    next_look: Look | None = None
    jumped: bool = False
    rotated: bool = False

    def predicted_centroid(self, time: float) -> complex:
        """Where the keypoints' centroid is expected in the next frame, at `time`, px."""
        return self.face.centroid + self.motion.displacement(time - self.time)

    def predicted_pose(self, time: float) -> Similarity | None:
        """The pose expected in the next frame, at `time`; None where the keypoints coincide."""
        if self.face.pose is None:
            return None
        factor, offset = self.face.pose
        return factor, offset + self.motion.displacement(time - self.time)

    def crop_of(self, pose: Similarity, size: int) -> Similarity:
        """The similarity to the `size`×`size` px crop of a pose.

        A face that is nearly upright is not rotated, which takes half of the time; whether it is,
        is decided with hysteresis.
        """
        threshold = _ROTATE_BELOW_RAD if self.rotated else _ROTATE_ABOVE_RAD
        self.rotated = abs(cmath.phase(pose[0])) > threshold
        return crop_of_pose(pose, size, self.rotated)

    def drifted_centroid(self, time: float) -> complex:
        """Where the centroid of a lost face is expected at `time`, px."""
        return self.face.centroid + self.motion.mean_velocity * (time - self.time)

    def note_jump(self, face: FacePass, others: Iterable[FacePass]) -> None:
        """Note whether what is seen in its place looks different at once.

        A face that one of the others covers looks different too, but stays in its place.
        """
        self.next_look = look_of(face)
        self.jumped = has_changed(self.look, self.next_look) and not any(
            io_min(face.box, other.box) > 0 for other in others
        )

    def update(self, match: Match, time: float) -> None:
        """Continue with a match at `time`."""
        face = match.face
        if time > self.time:
            seconds = time - self.time
            velocity = (face.centroid - self.face.centroid) / seconds
            self.motion = self.motion.updated(velocity, seconds)
        if match.template is not None:
            mean = (1 - _TEMPLATE_RATE) * self.template + _TEMPLATE_RATE * match.template
            self.template = mean / np.linalg.norm(mean)
            self.compared = time
        self.interval = time - self.time
        self.face = face
        self.time = time
        self.look = self.next_look
        self.lost = self.jumped = False


@dataclass(frozen=True, slots=True)
class Match:
    """A candidate for the face of a track.

    Attributes:
        track: the track.
        face: the candidate.
        template: of the face; None where it was not compared.
        similarity: correlation with the track's template, −1 to 1; 1 where it was not compared,
            as no other face is near.
    """

    track: Track
    face: FacePass
    template: Template | None
    similarity: float

    @property
    def is_plausible(self) -> bool:
        """Whether its appearance allows that it is the track's face, if it is in its place."""
        needed = _SAME_SIMILARITY if self.track.jumped else _PLAUSIBLE_SIMILARITY
        return self.similarity >= needed


def compare(face: FacePass, track: Track) -> Match | None:
    """Compare a face with a track's template; None where its keypoints coincide."""
    template = template_of(face)
    if template is None:
        return None
    similarity = float(np.vdot(template, track.template))
    return Match(track, face, template, similarity)


def compare_if_due(face: FacePass, track: Track, time: float, interval_s: float) -> Match | None:
    """As `compare`, but only once in `interval_s`, and at once where the face's look has changed.

    In between the match is assumed.
    """
    if track.jumped or is_due(time - track.compared, interval_s):
        return compare(face, track)
    return Match(track, face, None, 1.0)


def is_due(elapsed_s: float, interval_s: float) -> bool:
    """Whether an interval has passed, but for the rounding of times to milliseconds in files."""
    return elapsed_s >= interval_s - _ROUNDING_S


def check_intervals(tracks: list[Track]) -> list[float]:
    """Seconds between two comparisons of each track: fewer where another face is near."""
    intervals = [_CHECK_APART_S] * len(tracks)
    # In plain Python: numpy takes longer for a few faces.
    for (i, track), (j, other) in combinations(enumerate(tracks), 2):
        interval = _pair_interval(track.face.box, other.face.box)
        intervals[i] = min(intervals[i], interval)
        intervals[j] = min(intervals[j], interval)
    return intervals


def _pair_interval(box: Box, other: Box) -> float:
    """Seconds between two comparisons of two faces, for each other's sake."""
    (x, y, width, height), (u, v, other_width, other_height) = box, other
    if u - width < x < u + other_width and v - height < y < v + other_height:
        return 0.0  # they touch
    across, down = x - u + (width - other_width) / 2, y - v + (height - other_height) / 2
    is_near = math.hypot(across, down) < _APART * max(width, other_width)
    return _CHECK_NEAR_S if is_near else _CHECK_APART_S


def compare_duplicates(matches: list[Match], max_io_min: float) -> list[Match]:
    """Compare the assumed matches that overlap another; all others are returned as they are.

    An assumed match, of similarity 1, would win over one that was compared.
    """
    compared = [
        compare(match.face, match.track)
        if match.template is None
        and any(io_min(match.face.box, o.face.box) > max_io_min for o in matches if o is not match)
        else match
        for match in matches
    ]
    return [match for match in compared if match is not None]


def is_near(track: Track, face: FacePass, time: float) -> bool:
    """Whether a face has the position and size that a track's should have at `time`."""
    pose, last_pose = face.pose, track.face.pose
    if pose is None or last_pose is None:
        return False
    scale, last_scale = abs(pose[0]), abs(last_pose[0])
    if not 1 / _MAX_GROWTH <= scale / last_scale <= _MAX_GROWTH:
        return False
    distance = abs(face.centroid - track.predicted_centroid(time))
    return distance <= _MAX_JUMP * last_scale * CROP


def is_reidentified(match: Match, time: float) -> bool:
    """Whether a face is a lost track's: by appearance, or by position and plausible appearance."""
    if match.similarity >= _SAME_SIMILARITY:
        return True
    return match.is_plausible and is_in_place(match, time)


def is_in_place(match: Match, time: float) -> bool:
    """Whether a face is where a lost track's may be at `time`, which after a cut no place is."""
    track = match.track
    if track.jumped:
        return False
    distance = abs(match.face.centroid - track.drifted_centroid(time))
    return distance <= _REAPPEAR_DISTANCE * max(track.face.box[2:])
