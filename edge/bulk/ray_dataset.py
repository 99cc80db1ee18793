"""Faces of the photos of a Ray dataset: the stage that `edge.bulk.process` adds to a pipeline."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from ray.data import ActorPoolStrategy, Dataset

from edge.bulk.photos import FetchResult, fetch, photo_at
from edge.bulk.rows import Rows, process_photo
from edge.errors import SourceError
from edge.facekeypoints import FaceKeypoints

_MIN_WORKERS = 1  # Ray adds workers as cores become free, so that the stage that reads has one too
_BATCH_SIZE = 32  # photos; bounds the encoded photos that a worker holds in memory


def map_photos(dataset: Dataset, detect: FaceKeypoints, column: str, workers: int) -> Dataset:
    """Map a dataset of photos to rows; see `edge.bulk.process`."""
    return dataset.map_batches(
        PhotoMapper,
        fn_constructor_args=(detect, column),
        batch_size=_BATCH_SIZE,
        batch_format="pyarrow",
        compute=ActorPoolStrategy(min_size=_MIN_WORKERS, max_size=workers),
        num_cpus=1,
    )


class PhotoMapper:
    """A worker with the interface of Ray Data's `map_batches`."""

    def __init__(self, detect: FaceKeypoints, column: str) -> None:
        """Take photos from `column`, bytes or addresses, and their names from `image`."""
        self._detect = detect
        self._column = column

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Map a batch of photos to rows.

        Args:
            batch: a table with a column `image` and the column of the photos.

        Returns:
            Rows with the schema of `edge.bulk.rows.make_schema`.

        Raises:
            SourceError: a column is missing.
        """
        names = _values(batch, "image")
        photos = _values(batch, self._column)
        rows = Rows(self._detect.keypoint_names, self._detect.points68)
        for name, value in zip(names, photos, strict=True):
            data = next(fetch([photo_at(value)])) if isinstance(value, str) else value
            self._add(rows, name, data)
        return rows.to_table()

    def _add(self, rows: Rows, name: str, data: FetchResult | object) -> None:
        if isinstance(data, bytes):
            process_photo(self._detect, rows, name, data)
        elif isinstance(data, str):
            rows.add_failed(name, data)
        else:
            rows.add_failed(name, "the row holds no bytes and no address")


def _values(batch: pa.Table, column: str) -> list[Any]:
    if column not in batch.column_names:
        raise SourceError(f"the dataset has no column {column!r}; received {batch.column_names}")
    return list(batch.column(column).to_pylist())
