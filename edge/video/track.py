"""One face through a video: its predicted position, and whether a detected face is the same one.

Faces are re-identified by an appearance template: a small, illumination-normalised image of zero
mean and unit norm, compared by correlation. Where a face's look jumps from one frame to the next,
as at a cut, its position says nothing of who it is, and the template alone decides.

Legend: T tracks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Matrix, crop_matrix, rotation_deg, scale_of
from edge.geometry.boxes import io_min, pairwise_intersection
from edge.geometry.face_frame import CROP, square_of_pose, upright_matrix_of_pose
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
_ROTATE_BELOW_DEG, _ROTATE_ABOVE_DEG = 10.0, MAX_ROLL_DEG
_REAPPEAR_DISTANCE = 1.0  # sides of the box within which a new face may be the one just lost


@dataclass(frozen=True, slots=True)
class Motion:
    """How a face moves as a whole, px a second, float64 `(2,)` each.

    Attributes:
        velocity: between the last two frames.
        change: of the velocity in that time.
        mean_velocity: running mean over the last few frames.
    """

    velocity: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    change: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    mean_velocity: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))

    def displacement(self, seconds: float) -> NDArray[np.float64]:
        """Predicted displacement to the next frame, `seconds` later, `(2,)` px."""
        if seconds > _MAX_PREDICTED_S:
            return np.zeros(2)
        return (self.velocity + self.change) * seconds

    def updated(self, velocity: NDArray[np.float64], seconds: float) -> Motion:
        """The motion after one more frame, `seconds` after the last."""
        rate = 1 - math.exp(-seconds / _VELOCITY_S)
        mean = self.mean_velocity + rate * (velocity - self.mean_velocity)
        return Motion(velocity, velocity - self.velocity, mean)


@dataclass(slots=True)
class Track:
    """One face through time.

    Attributes:
        number: its id.
        face: the last inference pass, unsmoothed.
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

    def predicted_centroid(self, time: float) -> NDArray[np.float64]:
        """Where the keypoints' centroid is expected in the next frame, at `time`, `(2,)` px."""
        return self.face.centroid + self.motion.displacement(time - self.time)

    def predicted_pose(self, time: float) -> Matrix | None:
        """The pose expected in the next frame, at `time`; None where the keypoints coincide."""
        if self.face.pose is None:
            return None
        pose = self.face.pose.copy()
        pose[:, 2] += self.motion.displacement(time - self.time)
        return pose

    def update_rotation(self, pose: Matrix) -> None:
        """Decide, with hysteresis, whether the crop of this pose is rotated upright."""
        threshold = _ROTATE_BELOW_DEG if self.rotated else _ROTATE_ABOVE_DEG
        self.rotated = abs(rotation_deg(pose)) > threshold

    def crop_of(self, pose: Matrix, size: int) -> Matrix:
        """The matrix to the `size`×`size` px crop of a pose.

        A face that is nearly upright is not rotated, which takes half of the time.
        """
        if self.rotated:
            return upright_matrix_of_pose(pose, size)
        return crop_matrix(square_of_pose(pose), size)

    def drifted_centroid(self, time: float) -> NDArray[np.float64]:
        """Where the centroid of a lost face is expected at `time`, `(2,)` px."""
        return self.face.centroid + self.motion.mean_velocity * (time - self.time)

    def note_jump(self, face: FacePass, is_covered: bool) -> None:
        """Note whether what is seen in its place looks different at once.

        A face that another one covers looks different too, but stays in its place.
        """
        self.next_look = look_of(face)
        self.jumped = not is_covered and has_changed(self.look, self.next_look)

    def update(self, match: Match, time: float) -> None:
        """Continue with a match at `time`."""
        face = match.face
        if time > self.time:
            displacement = face.centroid - self.face.centroid
            seconds = time - self.time
            self.motion = self.motion.updated(displacement / seconds, seconds)
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
        face: the inference pass at the face.
        template: of the face; None where it was not compared.
        similarity: correlation with the track's template, −1 to 1; 1 where it was not compared,
            as no other face is near.
        box: of the face, float32 `(4,)` px.
    """

    track: Track
    face: FacePass
    template: Template | None
    similarity: float
    box: NDArray[np.float32]

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
    similarity = float((template * track.template).sum())
    return Match(track, face, template, similarity, face.box)


def compare_if_due(face: FacePass, track: Track, time: float, interval_s: float) -> Match | None:
    """As `compare`, but only once in `interval_s`, and at once where the face's look has changed.

    In between the match is assumed.
    """
    if track.jumped or is_due(time - track.compared, interval_s):
        return compare(face, track)
    return Match(track, face, None, 1.0, face.box)


def is_due(elapsed_s: float, interval_s: float) -> bool:
    """Whether an interval has passed, but for the rounding of times to milliseconds in files."""
    return elapsed_s >= interval_s - _ROUNDING_S


def check_intervals(tracks: list[Track]) -> list[float]:
    """Seconds between two comparisons of each track: fewer where another face is near."""
    if len(tracks) < 2:
        return [_CHECK_APART_S] * len(tracks)
    boxes = np.array([track.face.box for track in tracks])
    centres, widths = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2]
    distances = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    near = distances < _APART * np.maximum(widths[:, None], widths)
    touching = pairwise_intersection(boxes, boxes) > 0
    # Each face counts as near and touching itself.
    return [
        0.0 if touching_count > 1 else _CHECK_NEAR_S if near_count > 1 else _CHECK_APART_S
        for touching_count, near_count in zip(
            touching.sum(axis=1).tolist(), near.sum(axis=1).tolist(), strict=True
        )
    ]


def compare_duplicates(matches: list[Match], max_io_min: float) -> list[Match]:
    """Compare the assumed matches that overlap another; all others are returned as they are.

    An assumed match, of similarity 1, would win over one that was compared.
    """
    compared = [
        compare(match.face, match.track)
        if match.template is None
        and any(io_min(match.box, o.box) > max_io_min for o in matches if o is not match)
        else match
        for match in matches
    ]
    return [match for match in compared if match is not None]


def is_near(track: Track, face: FacePass, time: float) -> bool:
    """Whether a face has the position and size that a track's should have at `time`."""
    pose, last_pose = face.pose, track.face.pose
    if pose is None or last_pose is None:
        return False
    side = scale_of(last_pose) * CROP
    distance = math.hypot(*(face.centroid - track.predicted_centroid(time)).tolist())
    growth = scale_of(pose) / scale_of(last_pose)
    return bool(distance <= _MAX_JUMP * side and 1 / _MAX_GROWTH <= growth <= _MAX_GROWTH)


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
    distance = math.hypot(*(match.face.centroid - track.drifted_centroid(time)).tolist())
    return bool(distance <= _REAPPEAR_DISTANCE * float(max(track.face.box[2:])))
