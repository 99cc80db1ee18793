"""What is assessed of faces where it was asked for: quality, expressions, states, visibility."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from edge.analysis.analyzer import Analyzer
from edge.analysis.event import Event
from edge.analysis.events import EventDetector
from edge.analysis.expressions import EMBEDDED, Expressions
from edge.analysis.eyes import AnyImage, grey_of
from edge.analysis.quality import PARTS, Quality, quality
from edge.analysis.running_neutral import RunningNeutral
from edge.analysis.state import COLUMNS, FaceState
from edge.analysis.visibility import Visibility, Visible
from edge.face import Face
from edge.files import name_and_hash
from edge.formats.focal import Focal
from edge.image import Rgb
from edge.keypoints import KEYPOINT_NAMES

# Against the mean person, or in videos against the person's own usual face.
Reference = Literal["absolute", "relative"]
_DIGITS = 4
_VISIBLE_COLUMNS = tuple(f"{name}_visible" for name in KEYPOINT_NAMES)


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """Of one face; None where it was not asked for or cannot be told.

    Attributes:
        quality: of the shot.
        expressions: activations by name, 0–1.
        state: of eyes, mouth and head.
        visible: float32 `(15,)`, the probability that each keypoint is seen.
    """

    quality: Quality | None = None
    expressions: Mapping[str, float] | None = None
    state: FaceState | None = None
    visible: Visible | None = None

    def to_dict(self) -> dict[str, Any]:
        """Values that `json` can write, by name: what was asked for of the attributes."""
        record: dict[str, Any] = self._shares()
        if self.visible is not None:
            record["visible"] = dict(zip(KEYPOINT_NAMES, self._visible_shares(), strict=True))
        if self.state is not None:
            record["state"] = self.state.to_dict()
        return record

    def _shares(self) -> dict[str, dict[str, float]]:
        """Quality and expressions, each by name."""
        record: dict[str, Any] = {}
        if self.quality is not None:
            record["quality"] = self.quality.to_dict()
        if self.expressions is not None:
            record["expressions"] = {
                name: round(value, _DIGITS) for name, value in self.expressions.items()
            }
        return record

    def _visible_shares(self) -> list[float]:
        assert self.visible is not None, "asked for only where it is known"
        return [round(share, _DIGITS) for share in self.visible.tolist()]

    def to_row(self, columns: Sequence[str]) -> list[float | str | None]:
        """The values under the columns of `Assessor.columns`."""
        row: dict[str, float | str | None] = {}
        for group, values in self._shares().items():
            row.update({_column(group, name): value for name, value in values.items()})
        if self.state is not None:
            row.update(zip(COLUMNS, self.state.to_row(), strict=True))
        if self.visible is not None:
            row.update(zip(_VISIBLE_COLUMNS, self._visible_shares(), strict=True))
        return [row.get(column) for column in columns]


class Assessor:
    """Assesses faces.

    Attributes:
        columns: of a table: `quality`, `quality_size` …, `expressions_smile` …, those of
            `edge.analysis.state`, and `left_eye_center_visible` ….
        events: what has just ended in the video, of faces that are analyzed.
    """

    def __init__(
        self,
        *,
        with_quality: bool = False,
        expressions: Reference | None = None,
        analyze: Analyzer | None = None,
        visibility: Visibility | None = None,
    ) -> None:
        """Choose what is assessed.

        Args:
            with_quality: the quality of shots.
            expressions: what expressions are compared with; None tells none.
            analyze: measures eyes, mouth and head; None does not.
            visibility: tells which keypoints are seen; None does not.

        Raises:
            ModelError: the network of expressions is missing or damaged.
        """
        self._with_quality = with_quality
        self._expressions = None if expressions is None else Expressions()
        self._is_relative = expressions == "relative"
        self._analyze, self._visibility = analyze, visibility
        self.start_video()
        names = ("value", *PARTS) if with_quality else ()
        self.columns = tuple(_column("quality", name) for name in names)
        if self._expressions:
            self.columns += tuple(_column("expressions", n) for n in self._expressions.names)
        if analyze:
            self.columns += COLUMNS
        if visibility:
            self.columns += _VISIBLE_COLUMNS

    @property
    def settings(self) -> dict[str, Any]:
        """What the assessments depend on, as `json` can write it; names only what is assessed."""
        settings: dict[str, Any] = {"quality": True} if self._with_quality else {}
        if self._expressions:
            settings["expressions"] = name_and_hash(EMBEDDED)
        if self._analyze:
            settings["eyes"] = name_and_hash(self._analyze.path)
        if self._visibility:
            settings["visibility"] = name_and_hash(self._visibility.path)
        return settings

    def start_video(self) -> None:
        """Forget the tracks, whose numbers restart."""
        self._neutral = RunningNeutral()
        self._detector = EventDetector()
        self.events: list[Event] = []

    def finish_video(self) -> list[Event]:
        """What was in progress at the end of a video."""
        return self._detector.finish()

    def __call__(
        self,
        image: Rgb | AnyImage,
        faces: Sequence[Face],
        time: float | None = None,
        focal: Focal | None = None,
    ) -> list[Assessment]:
        """Assess the faces of an image.

        Args:
            image: uint8 `(H, W, 3)`, RGB, or grey as `edge.analysis.eyes.measure_eyes` takes it.
            faces: found in it.
            time: of a frame of a video, seconds; None for a still image.
            focal: that the EXIF of a photo gives.
        """
        grey = grey_of(image)
        states: Sequence[FaceState | None] = [None] * len(faces)
        if self._analyze:
            states = self._watch(faces, self._analyze.measure(grey, faces, focal), time)
        visible: Sequence[Visible | None] = [None] * len(faces)
        if self._visibility:
            visible = self._visibility.measure(grey, faces)
        return [
            Assessment(
                quality(grey, face) if self._with_quality else None,
                self._express(face, time),
                state,
                seen,
            )
            for face, state, seen in zip(faces, states, visible, strict=True)
        ]

    def _watch(
        self, faces: Sequence[Face], states: list[FaceState], time: float | None
    ) -> list[FaceState]:
        """The states with what is known of a video's past, whose events are noted."""
        if time is None:
            return states
        self.events = self._detector(faces, states, time)
        shares = (self._detector.perclos(f.track_id) for f in faces if f.track_id is not None)
        return [replace(state, perclos=share) for state, share in zip(states, shares, strict=True)]

    def _express(self, face: Face, time: float | None) -> dict[str, float] | None:
        if self._expressions is None or face.points68 is None:
            return None
        if not self._is_relative or time is None or face.track_id is None:
            return self._expressions(face)
        raw = self._expressions.raw([face])[0]
        return self._expressions(face, self._neutral.update(face.track_id, time, raw))


def _column(group: str, name: str) -> str:
    return group if name == "value" else f"{group}_{name}"
