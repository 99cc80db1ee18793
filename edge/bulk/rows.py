"""Rows of a bulk run: the columns of the CSV schema, and what became of each photo.

A photo has a row for each face, or one row that says that there is none, or why it failed: every
photo is in the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from edge.errors import ImageError
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.records import csv_header, csv_row

FACE, NO_FACE, FAILED = "face", "no face", "failed"

_TYPES = {"image": pa.string(), "frame": pa.int32(), "face": pa.int32()}  # others are numbers


def make_schema(names: Sequence[str]) -> pa.Schema:
    """Columns: those of the CSV, then `status` ("face", "no face" or "failed") and `reason`.

    Numbers are float32, in px; those of a photo without a face are null, as `reason` is of one that
    did not fail.

    Args:
        names: of the keypoints, in order.
    """
    columns = [pa.field(name, _TYPES.get(name, pa.float32())) for name in csv_header(names)]
    return pa.schema([*columns, pa.field("status", pa.string()), pa.field("reason", pa.string())])


@dataclass(slots=True)
class Rows:
    """Rows of some photos, growing, with how many photos came to what.

    Attributes:
        names: of the keypoints, in order.
        photos: how many are in the rows.
        faces: how many rows are faces.
        without_face: how many photos have none.
        failed: how many photos failed.
    """

    names: Sequence[str]
    photos: int = 0
    faces: int = 0
    without_face: int = 0
    failed: int = 0
    _rows: list[list[Any]] = field(default_factory=list)

    def add(self, image: str, faces: Sequence[Face]) -> None:
        """Add a photo that was looked at."""
        self.photos += 1
        self.faces += len(faces)
        self._rows += [
            [*csv_row(image, 0, i, face), FACE, None] for i, face in enumerate(faces)
        ]  # fmt: skip
        if not faces:
            self.without_face += 1
            self._add_empty(image, NO_FACE, None)

    def add_failed(self, image: str, reason: str) -> None:
        """Add a photo that could not be looked at, and why."""
        self.photos += 1
        self.failed += 1
        self._add_empty(image, FAILED, reason)

    def _add_empty(self, image: str, status: str, reason: str | None) -> None:
        numbers = [None] * (len(csv_header(self.names)) - 2)
        self._rows.append([image, 0, *numbers, status, reason])

    def to_table(self) -> pa.Table:
        """All rows, under `make_schema`."""
        schema = make_schema(self.names)
        columns = zip(*self._rows, strict=True) if self._rows else [[] for _ in schema]
        return pa.table(
            [pa.array(values, one.type) for values, one in zip(columns, schema, strict=True)],
            schema=schema,
        )


def look(detect: FaceKeypoints, rows: Rows, image: str, data: bytes) -> None:
    """Look at the bytes of one picture and add its rows.

    Photo by photo: the rows of one must not depend on which others share its partition.
    """
    try:
        rows.add(image, detect(data))
    except ImageError as error:
        rows.add_failed(image, str(error))
    except MemoryError:
        rows.add_failed(image, "too large for the memory of this computer")
