"""Faces in video: each keeps its number while it is seen, and is found anew only now and then.

A face's last keypoints say where to look next, so the detector runs every few frames and when a
face is lost. Who a face is, after two have crossed or one was away, is told by a small picture of
it without its shading.

Legend: T tracks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from edge.crop import cut
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.framing import CROP, box_of, frame, overlay, upright_matrix
from edge.geometry import scale_of, shared_part
from edge.image import Grey, ImageSource, load_image, to_grey
from edge.looks import Look, look
from edge.smoothing import PointFilter, Smoothing

_PORTRAIT = 48  # px, side of the small picture
_SHADING = 6  # px, radius of the mean that is taken from it
# Correlations of such pictures of ytf's faces: of one face a moment later above 0.95; of different
# people below 0.6 in 999 of 1000 pairs.
_SAME, _LIKE = 0.6, 0.45
_LEARN = 0.1  # share of the newest picture in the one that is kept
_STEADY = 0.3  # share of the newest speed in that over the last few frames
_CHECK = 4  # frames from one such picture of a face that is apart from others to the next
_APART = 2.0  # widths of the box between the middles of such faces
_IDLE_S = 0.09  # seconds from one search to the next while nobody is followed
_MAX_SHARED = 0.5  # of the smaller of two boxes: above it two tracks follow one face
_MAX_JUMP, _MAX_GROWTH = 0.5, 1.5  # from one frame to the next, in sides of the face's square
_NEAR = 1.0  # sides of the square: within it a face that comes back may be the one just lost


@dataclass(frozen=True, slots=True)
class _Motion:
    """How a face moves as a whole, px a second, `(2,)` each.

    Attributes:
        speed: from the frame before the last to the last.
        gain: of speed in that time.
        drift: speed over the last few frames.
    """

    speed: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    gain: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    drift: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))

    def then(self, speed: NDArray[np.float64]) -> _Motion:
        """The motion after one more frame."""
        drift = self.drift + _STEADY * (speed - self.drift)
        return _Motion(speed, speed - self.speed, drift)


@dataclass(slots=True)
class _Track:
    """One face through time; its keypoints here are as seen, not smoothed."""

    number: int
    seen: Look
    portrait: NDArray[np.float32]
    smooth: PointFilter | None
    time: float
    motion: _Motion
    seconds: float = 0.0  # since the time before
    lost: bool = False
    unchecked: int = 0  # frames since it was last told by its looks

    def expected(self, time: float) -> NDArray[np.float64]:
        """Where the keypoints are in the next frame, at `time`, `(15, 2)` px."""
        return self.seen.keypoints + (self.motion.speed + self.motion.gain) * (time - self.time)

    def drifted(self, time: float) -> NDArray[np.float64]:
        """Where the keypoints of a face that was lost may be by now, `(15, 2)` px."""
        return self.seen.keypoints + self.motion.drift * (time - self.time)


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
        self._tracks: list[_Track] = []
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
        grey = to_grey(load_image(image))
        now = self._frames / self._frame_rate if time is None else time
        self._frames += 1
        self._since_search += 1
        self._forget(now)
        lost = self._follow(grey, now)
        live = [track for track in self._tracks if not track.lost]
        idle = not live and now - self._searched >= _IDLE_S
        if lost or idle or self._since_search >= self._every:
            self._search(grey, now)
        faces = [self._face(track) for track in self._tracks if not track.lost]
        faces.sort(key=lambda face: -float(face.box[2] * face.box[3]))
        return faces[: self._detect.max_faces]

    def _forget(self, now: float) -> None:
        self._tracks = [t for t in self._tracks if not t.lost or now - t.time <= self._max_gap]

    def _follow(self, grey: Grey, now: float) -> bool:
        """Look where each face is expected; returns whether one was lost."""
        live = [track for track in self._tracks if not track.lost]
        size = self._detect.model.size
        matrices = [upright_matrix(track.expected(now), size) for track in live]
        aimed = [(t, m) for t, m in zip(live, matrices, strict=True) if m is not None]
        seen = look(self._detect.model, [grey] * len(aimed), [m for _, m in aimed], looks=2)
        apart = dict(zip(map(id, self._tracks), _are_apart(self._tracks), strict=True))
        sightings = [
            sighting
            for (track, _), face in zip(aimed, seen, strict=True)
            if face.score >= self._detect.min_score and _is_near(track, face, now)
            if (sighting := _sight_again(grey, face, track, apart[id(track)])) is not None
        ]
        for track in live:
            track.lost = True
        # Where two tracks have come to one face, it is the one's that it looks like.
        taken: list[_Sighting] = []
        for sighting in sorted(sightings, key=lambda s: -s.likeness):
            free = all(shared_part(sighting.box, other.box) <= _MAX_SHARED for other in taken)
            if free and sighting.likeness >= _LIKE:
                taken.append(sighting)
                self._move(sighting, now)
        return any(track.lost for track in live)

    def _search(self, grey: Grey, now: float) -> None:
        """Find the faces that nobody follows, and give them their old numbers or new ones."""
        self._since_search, self._searched = 0, now
        followed = [_box(track.seen) for track in self._tracks if not track.lost]
        others = self._detect.find_others(grey, np.reshape(followed, (-1, 4)))
        for face in sorted(others, key=lambda face: -face.score):
            seen = Look(face.keypoints, face.error, face.score)
            box = _box(seen)
            if any(shared_part(box, other) > _MAX_SHARED for other in followed):
                continue
            hidden = any(shared_part(box, other) > 0 for other in followed)
            followed.append(box)
            sightings = [_sight(grey, seen, track) for track in self._tracks if track.lost]
            known = [s for s in sightings if s is not None and _is_back(s, now)]
            if known:
                self._come_back(max(known, key=lambda s: s.likeness), now)
            elif hidden and any(s is not None and _is_in_place(s, now) for s in sightings):
                # Half of it may still be hidden; in the next frame it can be told who it is.
                self._since_search = self._every
            else:
                self._begin(grey, seen, now)

    def _begin(self, grey: Grey, seen: Look, now: float) -> None:
        portrait = _portrait(grey, seen)
        if portrait is None:
            return
        self._tracks.append(_Track(self._next, seen, portrait, self._filter(), now, _Motion()))
        self._next += 1

    def _come_back(self, sighting: _Sighting, now: float) -> None:
        track = sighting.track
        track.smooth, track.motion = self._filter(), _Motion()
        track.seen, track.time, track.lost = sighting.seen, now, False

    def _move(self, sighting: _Sighting, now: float) -> None:
        track, seen = sighting.track, sighting.seen
        if now > track.time:
            moved = (seen.keypoints - track.seen.keypoints).mean(axis=0) / (now - track.time)
            track.motion = track.motion.then(moved)
        track.unchecked += 1
        if sighting.portrait is not None:
            portrait = (1 - _LEARN) * track.portrait + _LEARN * sighting.portrait
            track.portrait, track.unchecked = portrait / np.linalg.norm(portrait), 0
        track.seconds = now - track.time
        track.seen, track.time, track.lost = seen, now, False

    def _filter(self) -> PointFilter | None:
        return PointFilter(self._smoothing) if self._smoothing else None

    def _face(self, track: _Track) -> Face:
        points = track.seen.keypoints.astype(np.float64)
        if track.smooth:
            points = track.smooth(points, track.seconds)
        seen = replace(track.seen, keypoints=points.astype(np.float32))
        return Face(_box(seen), seen.score, seen.keypoints, seen.error, track.number)


@dataclass(frozen=True, slots=True)
class _Sighting:
    """A face that may be a track's: how it looks, and how much like the track's portrait.

    Where nobody else is about, it is mostly believed to be the track's: portrait None, likeness 1.
    """

    track: _Track
    seen: Look
    portrait: NDArray[np.float32] | None
    likeness: float
    box: NDArray[np.float32]


def _sight(grey: Grey, seen: Look, track: _Track) -> _Sighting | None:
    portrait = _portrait(grey, seen)
    if portrait is None:
        return None
    likeness = float((portrait * track.portrait).sum())
    return _Sighting(track, seen, portrait, likeness, _box(seen))


def _sight_again(grey: Grey, seen: Look, track: _Track, apart: bool) -> _Sighting | None:
    if apart and track.unchecked < _CHECK - 1:
        return _Sighting(track, seen, None, 1.0, _box(seen))
    return _sight(grey, seen, track)


def _are_apart(tracks: list[_Track]) -> NDArray[np.bool_]:
    """Which tracks have no other near, `(T,)`."""
    boxes = np.array([_box(track.seen) for track in tracks]).reshape(-1, 4)
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    away = np.linalg.norm(middles[:, None] - middles[None], axis=2)
    np.fill_diagonal(away, np.inf)
    return np.asarray((away > _APART * boxes[:, 2]).all(axis=1))


def _is_near(track: _Track, seen: Look, now: float) -> bool:
    """Whether a face is where a track's should be by now, and as large."""
    lying, before = overlay(seen.keypoints), overlay(track.seen.keypoints)
    if lying is None or before is None:
        return False
    side = scale_of(before) * CROP
    away = np.linalg.norm((seen.keypoints - track.expected(now)).mean(axis=0))
    grown = scale_of(lying) / scale_of(before)
    return bool(away <= _MAX_JUMP * side and 1 / _MAX_GROWTH <= grown <= _MAX_GROWTH)


def _is_back(sighting: _Sighting, now: float) -> bool:
    """Whether a face is a lost track's: by its looks, or by its place and, less, its looks."""
    if sighting.likeness >= _SAME:
        return True
    return sighting.likeness >= _LIKE and _is_in_place(sighting, now)


def _is_in_place(sighting: _Sighting, now: float) -> bool:
    track = sighting.track
    away = np.linalg.norm((sighting.seen.keypoints - track.drifted(now)).mean(axis=0))
    return bool(away <= _NEAR * float(max(_box(track.seen)[2:])))


def _portrait(grey: Grey, seen: Look) -> NDArray[np.float32] | None:
    """A face's small picture without its shading, of mean 0 and length 1, float32 `(S, S)`."""
    matrix = upright_matrix(seen.keypoints, _PORTRAIT)
    if matrix is None:
        return None
    chip = cut(grey, matrix, _PORTRAIT)
    shading = np.asarray(Image.fromarray(chip).filter(ImageFilter.BoxBlur(_SHADING)), np.float32)
    details = chip - shading
    details -= details.mean()
    length = float(np.linalg.norm(details))
    return details / np.float32(length) if length > 0 else None


def _box(seen: Look) -> NDArray[np.float32]:
    """The face's box from its keypoints, `(4,)` px."""
    square = frame(seen.keypoints)
    if square is None:
        low, high = seen.keypoints.min(axis=0), seen.keypoints.max(axis=0)
        return np.array([*low, *(high - low)], np.float32)
    return box_of(square).astype(np.float32)
