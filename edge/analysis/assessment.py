"""What is assessed of faces where it was asked for: the quality of the shot, and expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from edge.analysis.expressions import Expressions
from edge.analysis.quality import PARTS, Quality, quality
from edge.analysis.running_neutral import RunningNeutral
from edge.face import Face
from edge.image import Rgb

# Against the mean person, or in videos against the person's own usual face.
Reference = Literal["absolute", "relative"]
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Assessment:
    """Of one face; None where it was not asked for or cannot be told.

    Attributes:
        quality: of the shot.
        expressions: activations by name, 0–1.
    """

    quality: Quality | None = None
    expressions: Mapping[str, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Values that `json` can write: `quality` and `expressions`, each by name."""
        record: dict[str, Any] = {}
        if self.quality is not None:
            record["quality"] = self.quality.to_dict()
        if self.expressions is not None:
            record["expressions"] = {
                name: round(value, _DIGITS) for name, value in self.expressions.items()
            }
        return record

    def to_row(self, columns: Sequence[str]) -> list[float | None]:
        """The values under the columns of `Assessor.columns`."""
        record, row = self.to_dict(), {}
        for group, values in record.items():
            row.update({_column(group, name): value for name, value in values.items()})
        return [row.get(column) for column in columns]


class Assessor:
    """Assesses faces.

    Attributes:
        columns: of a table: `quality`, `quality_size` …, `expressions_smile` …
    """

    def __init__(self, *, with_quality: bool = False, expressions: Reference | None = None) -> None:
        """Choose what is assessed.

        Args:
            with_quality: the quality of shots.
            expressions: what expressions are compared with; None tells none.

        Raises:
            ModelError: the network of expressions is missing or damaged.
        """
        self._with_quality = with_quality
        self._expressions = None if expressions is None else Expressions()
        self._is_relative = expressions == "relative"
        self._neutral = RunningNeutral()
        names = ("value", *PARTS) if with_quality else ()
        self.columns = tuple(_column("quality", name) for name in names)
        if self._expressions:
            self.columns += tuple(_column("expressions", n) for n in self._expressions.names)

    def start_video(self) -> None:
        """Forget the usual faces of tracks, whose numbers begin anew."""
        self._neutral = RunningNeutral()

    def __call__(
        self, image: Rgb, faces: Sequence[Face], time: float | None = None
    ) -> list[Assessment]:
        """Assess the faces of an image.

        Args:
            image: uint8 `(H, W, 3)`, RGB.
            faces: found in it.
            time: of a frame of a video, seconds; None for a still image.
        """
        return [
            Assessment(
                quality(image, face) if self._with_quality else None, self._express(face, time)
            )
            for face in faces
        ]

    def _express(self, face: Face, time: float | None) -> dict[str, float] | None:
        if self._expressions is None or face.points68 is None:
            return None
        if not self._is_relative or time is None or face.track_id is None:
            return self._expressions(face)
        raw = self._expressions.raw([face])[0]
        return self._expressions(face, self._neutral.update(face.track_id, time, raw))


def _column(group: str, name: str) -> str:
    return group if name == "value" else f"{group}_{name}"
