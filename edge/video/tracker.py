"""Faces in video: each keeps its number while it is seen, and is found anew only now and then.

A face's last keypoints say where to look next, so the detector runs every few frames and when a
face is lost. Who a face is, after two have crossed or one was away, is told by a small picture of
it without its shading (`edge.video.track`).

Legend: T tracks.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge.crop import cut
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.geometry.boxes import io_min
from edge.geometry.face_frame import upright_matrix
from edge.image import Grey, ImageSource, Luma, to_grey, view_image
from edge.refinement import FacePass, refine
from edge.video.smoothing import PointFilter, Smoothing
from edge.video.track import (
    Motion,
    Sighting,
    Track,
    compare_shared,
    how_often,
    is_back,
    is_in_place,
    is_near,
    portrait_of,
    sight,
    sight_again,
)

_IDLE_S = 0.09  # seconds from one search to the next while nobody is followed
_MAX_SHARED = 0.5  # of the smaller of two boxes: above it two tracks follow one face


class Tracker:
    """Follows the faces of one video, frame by frame.

    Not for several threads at once, and for one video only: make one for each.
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
        """Follow faces that `detect` finds.

        Args:
            detect: the open models; its `min_score` and `max_faces` hold.
            every: frames from one search for new faces to the next, at most.
            smoothing: settings of the One Euro filter; None for keypoints as they are seen.
            max_gap: seconds for which a face may be away and still get its number back.
            frame_rate: frames a second, where calls do not give the time.

        Raises:
            ValueError: a setting is out of its range.
        """
        if every < 1 or not max_gap >= 0 or not frame_rate > 0:
            raise ValueError(
                "every must be at least 1, max_gap at least 0 and frame_rate above 0; received "
                f"{every}, {max_gap} and {frame_rate}"
            )
        self._detect, self._every, self._max_gap = detect, every, max_gap
        self._smoothing, self._frame_rate = smoothing, frame_rate
        self._tracks: list[Track] = []
        self._next = self._frames = self._since_search = 0
        self._searched = -np.inf  # when

    def __call__(self, image: ImageSource, time: float | None = None) -> list[Face]:
        """Follow the faces into the next frame.

        Args:
            image: as `FaceKeypoints` takes it.
            time: of the frame, seconds, rising; None to count frames.

        Returns:
            The faces that are seen, with `track_id`, largest first.

        Raises:
            ImageError, SourceError: as `FaceKeypoints`.
        """
        picture = view_image(image)
        now = self._frames / self._frame_rate if time is None else time
        self._frames += 1
        self._since_search += 1
        self._forget(now)
        lost = self._follow(Luma(picture), now)
        live = [track for track in self._tracks if not track.lost]
        idle = not live and now - self._searched >= _IDLE_S
        if lost or idle or self._since_search >= self._every:
            self._search(to_grey(picture), now)
        faces = [self._face(track) for track in self._tracks if not track.lost]
        faces.sort(key=lambda face: -float(face.box[2] * face.box[3]))
        return faces[: self._detect.max_faces]

    def _forget(self, now: float) -> None:
        self._tracks = [t for t in self._tracks if not t.lost or now - t.time <= self._max_gap]

    def _follow(self, luma: Luma, now: float) -> bool:
        """Look where each face is expected; returns whether one was lost."""
        live = [track for track in self._tracks if not track.lost]
        size = self._detect.model.size
        matrices = [track.aim(now, size) for track in live]
        aimed = [(t, m) for t, m in zip(live, matrices, strict=True) if m is not None]
        seen = refine(self._detect.model, [luma] * len(aimed), [m for _, m in aimed], max_passes=2)
        often = dict(zip(map(id, self._tracks), how_often(self._tracks), strict=True))
        sightings = [
            sighting
            for (track, _), face in zip(aimed, seen, strict=True)
            if face.score >= self._detect.min_score and is_near(track, face, now)
            if (sighting := sight_again(face, track, often[id(track)])) is not None
        ]
        for track in live:
            track.lost = True
        # Where two tracks have come to one face, it is the one's that it looks like.
        taken: list[Sighting] = []
        for sighting in sorted(compare_shared(sightings, _MAX_SHARED), key=lambda s: -s.likeness):
            free = all(io_min(sighting.box, other.box) <= _MAX_SHARED for other in taken)
            if free and sighting.is_like:
                taken.append(sighting)
                sighting.track.move(sighting, now)
        return any(track.lost for track in live)

    def _search(self, grey: Grey, now: float) -> None:
        """Find the faces that nobody follows, and give them their old numbers or new ones."""
        self._since_search, self._searched = 0, now
        followed = [track.seen.box for track in self._tracks if not track.lost]
        others = self._detect.detect_others(grey, np.reshape(followed, (-1, 4)))
        for face in sorted(others, key=lambda face: -face.score):
            seen = self._upright(grey, face)
            if seen is None:
                continue
            box = seen.box
            if any(io_min(box, other) > _MAX_SHARED for other in followed):
                continue
            hidden = any(io_min(box, other) > 0 for other in followed)
            followed.append(box)
            sightings = [sight(seen, track) for track in self._tracks if track.lost]
            known = [s for s in sightings if s is not None and is_back(s, now)]
            if known:
                self._come_back(max(known, key=lambda s: s.likeness), now)
            elif hidden and any(s is not None and is_in_place(s, now) for s in sightings):
                # Half of it may still be hidden; in the next frame it can be told who it is.
                self._since_search = self._every
            else:
                self._begin(seen, now)

    def _upright(self, grey: Grey, face: Face) -> FacePass | None:
        """A face that was found, as a look at it; None where its keypoints span no face."""
        size = self._detect.model.size
        matrix = upright_matrix(face.keypoints, size)
        if matrix is None:
            return None
        crop = cut(grey, matrix, size)
        return FacePass(face.keypoints, face.error, face.score, crop, matrix)

    def _begin(self, seen: FacePass, now: float) -> None:
        portrait = portrait_of(seen)
        if portrait is None:
            return
        self._tracks.append(Track(self._next, seen, portrait, self._filter(), now, Motion()))
        self._next += 1

    def _come_back(self, sighting: Sighting, now: float) -> None:
        track = sighting.track
        track.smooth, track.motion = self._filter(), Motion()
        track.seen, track.time, track.lost = sighting.seen, now, False

    def _filter(self) -> PointFilter | None:
        return PointFilter(self._smoothing) if self._smoothing else None

    def _face(self, track: Track) -> Face:
        points = track.seen.keypoints.astype(np.float64)
        if track.smooth:
            points = track.smooth(points, track.seconds)
        seen = replace(track.seen, keypoints=points.astype(np.float32))
        return Face(seen.box, seen.score, seen.keypoints, seen.error, track.number)
