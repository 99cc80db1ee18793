"""Rows of results: the columns of the CSV, and the status of each photo.

A photo has one row per face, or one row with the status "no face" or "failed", so that every photo
is in the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from edge.analysis.assessment import Assessment
from edge.analysis.state import TEXTS
from edge.face import Face
from edge.records import csv_header, csv_row

FACE = "face"
NO_FACE = "no face"
FAILED = "failed"

_TYPES = {"image": pa.string(), "frame": pa.int32(), "face": pa.int32()}  # the others are float32
_TYPES |= dict.fromkeys(TEXTS, pa.string())


def make_schema(
    keypoint_names: Sequence[str], points68: bool = False, assessed: Sequence[str] = ()
) -> pa.Schema:
    """The schema: columns of the CSV, then `status` ("face", "no face" or "failed") and `reason`.

    Coordinates are float32, in px, and null in rows without a face; `reason` is null unless the
    photo failed.

    Args:
        keypoint_names: names of the keypoints, in order.
        points68: whether there are columns of the 68 points.
        assessed: further ones, of `edge.analysis.assessment.Assessor`, null where not measured.
    """
    header = [*csv_header(keypoint_names, points68), *assessed]
    columns = [pa.field(name, _TYPES.get(name, pa.float32())) for name in header]
    return pa.schema([*columns, pa.field("status", pa.string()), pa.field("reason", pa.string())])


@dataclass(slots=True)
class Rows:
    """Rows of the photos that have been added so far, with their counts.

    Attributes:
        keypoint_names: names of the keypoints, in order.
        points68: whether there are columns of the 68 points.
        assessed: further columns, of `edge.analysis.assessment.Assessor`.
        photos: number of photos.
        faces: number of faces, one row each.
        without_face: number of photos without a face.
        failed: number of photos that failed.
    """

    keypoint_names: Sequence[str]
    points68: bool = False
    assessed: Sequence[str] = ()
    photos: int = 0
    faces: int = 0
    without_face: int = 0
    failed: int = 0
    _rows: list[list[Any]] = field(default_factory=list)

    def add(
        self, image: str, faces: Sequence[Face], assessments: Sequence[Assessment] = ()
    ) -> None:
        """Add a photo and its faces, which may be none, with what is assessed of each."""
        self.photos += 1
        self.faces += len(faces)
        rows = [one.to_row(self.assessed) for one in assessments] or [[]] * len(faces)
        self._rows += [
            [*csv_row(image, 0, i, face), *row, FACE, None]
            for i, (face, row) in enumerate(zip(faces, rows, strict=True))
        ]
        if not faces:
            self.without_face += 1
            self._add_without_face(image, NO_FACE, None)

    def add_failed(self, image: str, reason: str) -> None:
        """Add a photo that could not be processed, and the reason."""
        self.photos += 1
        self.failed += 1
        self._add_without_face(image, FAILED, reason)

    def _add_without_face(self, image: str, status: str, reason: str | None) -> None:
        numbers = [None] * (len(self._schema) - 4)
        self._rows.append([image, 0, *numbers, status, reason])

    @property
    def _schema(self) -> pa.Schema:
        return make_schema(self.keypoint_names, self.points68, self.assessed)

    def to_table(self) -> pa.Table:
        """All rows as a table with the schema of `make_schema`."""
        schema = self._schema
        columns = zip(*self._rows, strict=True) if self._rows else [[] for _ in schema]
        arrays = [pa.array(values, col.type) for values, col in zip(columns, schema, strict=True)]
        return pa.table(arrays, schema=schema)
