"""Tracking: each face keeps its number through a video, and the detector runs only now and then.

A face's last keypoints predict its next crop, so the detector runs every few frames and when a face
is lost. After an occlusion or an absence a face is re-identified by its appearance template
(`edge.video.track`).
"""

from __future__ import annotations

import math

import numpy as np

from edge.errors import ImageError
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.geometry.affine import to_points
from edge.geometry.boxes import io_min
from edge.geometry.face_frame import box_of_pose, fit_complex_mean_face
from edge.image import Grey, ImageSource, Order, to_grey
from edge.refinement import FacePass
from edge.suppression import DUPLICATE_IO_MIN, are_duplicates, is_one_face
from edge.video.appearance import look_of, template_of
from edge.video.luma import Luma, view_frame
from edge.video.observation import observe, observe_detected
from edge.video.smoothing import FaceFilter, Smoothing
from edge.video.track import (
    Match,
    Motion,
    Track,
    check_intervals,
    compare,
    compare_duplicates,
    compare_if_due,
    is_due,
    is_in_place,
    is_near,
    is_reidentified,
)

_IDLE_INTERVAL_S = 0.1  # seconds between two detections while no face is tracked


class Tracker:
    """Tracks the faces of one video, frame by frame.

    Not for several threads at once, and for one video only: make one for each.

    Attributes:
        points68: whether the 68 points are predicted, at first as `detect` was opened; may be
            changed between frames, where the model has them. A face has them from its second frame.
    """

    def __init__(
        self,
        detect: FaceKeypoints,
        *,
        every: int = 10,
        smoothing: Smoothing | None = Smoothing(),  # noqa: B008 - frozen
        max_gap: float = 2.0,
        frame_rate: float = 30.0,
    ) -> None:
        """Track faces that `detect` finds.

        Args:
            detect: the open networks; its `min_score`, `max_faces` and `points68` hold.
            every: frames at `frame_rate` between two detections of new faces, at most; the
                interval is one of time, so that fewer frames a second are searched more often.
            smoothing: settings of the One Euro filter; None for unsmoothed keypoints.
            max_gap: seconds for which a face may be out of view and keep its number.
            frame_rate: frames a second, for `every` and where calls do not give the time.

        Raises:
            ValueError: a setting is out of its range.
        """
        if not every >= 1 or not max_gap >= 0 or not 0 < frame_rate < math.inf:
            raise ValueError(
                "every must be at least 1, max_gap at least 0 and frame_rate above 0 and finite; "
                f"received {every}, {max_gap} and {frame_rate}"
            )
        self.points68 = detect.points68
        self._detect = detect
        self._detection_s = every / frame_rate
        self._smoothing = smoothing
        self._max_gap = max_gap
        self._frame_rate = frame_rate
        self._tracks: list[Track] = []
        self._next_number = 0
        self._frame_count = 0
        self._last_time = -math.inf  # of the last frame, seconds
        self._shift = 0.0  # from the caller's times to those of the tracks, which never fall
        self._detection_time = -math.inf  # seconds

    def __call__(
        self, image: ImageSource, time: float | None = None, order: Order = "rgb"
    ) -> list[Face]:
        """Track the faces into the next frame.

        Args:
            image: as `FaceKeypoints` takes it.
            time: of the frame, seconds, finite; None to count frames. Where it falls, as in a film
                that begins anew, time goes on from the last frame, and faces are detected at once.
            order: of the colours of an array; OpenCV's is "bgr".

        Returns:
            The faces in view, with `track_id`, largest first.

        Raises:
            ImageError: the time is no finite number; or as `FaceKeypoints`.
            SourceError: as `FaceKeypoints`.
        """
        seconds = self._frame_count / self._frame_rate if time is None else _finite(time)
        frame = view_frame(image, order)
        now = self._rising(seconds)
        self._frame_count += 1
        self._drop_old_tracks(now)
        any_lost = self._update_tracks(frame if frame.ndim == 2 else Luma(frame), now)
        interval_s = self._detection_s if self._active() else _IDLE_INTERVAL_S
        if any_lost or is_due(now - self._detection_time, interval_s):
            self._detect_new(frame if frame.ndim == 2 else to_grey(frame), now)
        faces = [self._face(track) for track in self._active()]
        faces.sort(key=lambda face: -float(face.box[2] * face.box[3]))
        return faces[: self._detect.max_faces]

    def _rising(self, seconds: float) -> float:
        """The time of a frame on the clock of the tracks."""
        now = seconds + self._shift
        if now < self._last_time:
            self._shift = self._last_time - seconds
            now = self._last_time
            self._detection_time = -math.inf
        self._last_time = now
        return now

    def _active(self) -> list[Track]:
        return [track for track in self._tracks if not track.lost]

    def _drop_old_tracks(self, now: float) -> None:
        self._tracks = [t for t in self._tracks if not t.lost or now - t.time <= self._max_gap]

    def _update_tracks(self, frame: Grey | Luma, now: float) -> bool:
        """Run the network where each face is expected; returns whether one was lost."""
        active, model = self._active(), self._detect.model
        poses = [(track, track.predicted_pose(now)) for track in active]
        crops = [(track, track.crop_of(pose, model.size)) for track, pose in poses if pose]
        faces = observe(model, frame, [crop for _, crop in crops], self.points68)
        matches = self._match([track for track, _ in crops], faces, now)
        for track in active:
            track.lost = True
        # Where two tracks have converged on one face, the more similar one keeps it.
        kept: list[Match] = []
        for match in sorted(
            compare_duplicates(matches, DUPLICATE_IO_MIN), key=lambda match: -match.similarity
        ):
            free = not any(is_one_face(match.face, other.face) for other in kept)
            if free and match.is_plausible:
                kept.append(match)
                match.track.update(match, now)
        return any(track.lost for track in active)

    def _match(self, tracks: list[Track], faces: list[FacePass], now: float) -> list[Match]:
        intervals = dict(zip(map(id, self._tracks), check_intervals(self._tracks), strict=True))
        for track, face in zip(tracks, faces, strict=True):
            track.note_jump(face, (other for other in faces if other is not face))
        return [
            match
            for track, face in zip(tracks, faces, strict=True)
            if face.score >= self._detect.min_score and is_near(track, face, now)
            if (match := compare_if_due(face, track, now, intervals[id(track)])) is not None
        ]

    def _detect_new(self, grey: Grey, now: float) -> None:
        """Detect the faces that are not tracked, and give them their old numbers or new ones."""
        self._detection_time = now
        known = [track.face for track in self._active()]
        boxes = np.reshape([face.box for face in known], (-1, 4))
        detected = self._detect.detect_others(grey, boxes)
        for face in sorted(detected, key=lambda face: -face.score):
            upright = observe_detected(face, grey, self._detect.model.size)
            if upright is None:
                continue
            if any(are_duplicates(upright, other) for other in known):
                continue
            occluded = any(io_min(upright.box, other.box) > 0 for other in known)
            known.append(upright)
            self._assign(upright, occluded, now)

    def _assign(self, face: FacePass, occluded: bool, now: float) -> None:
        """Give a detected face to the lost track that it matches, or to a new one."""
        compared = [compare(face, track) for track in self._tracks if track.lost]
        matches = [match for match in compared if match is not None]
        candidates = [match for match in matches if is_reidentified(match, now)]
        if candidates:
            self._resume(max(candidates, key=lambda match: match.similarity), now)
        elif occluded and any(is_in_place(match, now) for match in matches):
            # Half of it may still be occluded; in the next frame it can be re-identified.
            self._detection_time = -math.inf
        else:
            self._start(face, now)

    def _start(self, face: FacePass, now: float) -> None:
        template = template_of(face)
        if template is None:
            return
        track = Track(self._next_number, face, template, self._filter(), now, Motion(), now)
        track.look = look_of(face)
        self._tracks.append(track)
        self._next_number += 1

    def _resume(self, match: Match, now: float) -> None:
        track = match.track
        track.smooth = self._filter()
        track.motion = Motion()
        track.face = match.face
        track.time = now
        track.look = look_of(match.face)
        track.lost = track.jumped = False

    def _filter(self) -> FaceFilter | None:
        return FaceFilter(self._smoothing) if self._smoothing else None

    def _face(self, track: Track) -> Face:
        seen = track.face
        points, points68, box = seen.points, seen.points68, seen.box
        if track.smooth:
            points, points68 = track.smooth(points, points68, track.interval)
            pose = fit_complex_mean_face(points)
            box = box if pose is None else box_of_pose(pose)
        return Face(
            np.array(box, np.float32),
            seen.score,
            to_points(points),
            seen.error,
            track.number,
            points68=None if points68 is None else to_points(points68),
            error90=seen.error90,
        )


def _finite(time: float) -> float:
    try:
        seconds = float(time)
    except (TypeError, ValueError) as error:
        raise ImageError(f"the time of a frame must be seconds, received {time!r}") from error
    if not math.isfinite(seconds):
        raise ImageError(f"the time of a frame must be finite seconds, received {seconds}")
    return seconds
