"""Photos of a Ray dataset, looked at within somebody's own pipeline."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from ray.data import ActorPoolStrategy, Dataset

from edge.bulk.photos import fetch, photo_at
from edge.bulk.rows import Rows, look
from edge.errors import SourceError
from edge.facekeypoints import FaceKeypoints

_LEAST = 1  # of the workers; more where cores are free, so that whatever reads has one too
_AT_ONCE = 32  # photos in a batch: what a worker holds undecoded


def map_photos(dataset: Dataset, detect: FaceKeypoints, column: str, workers: int) -> Dataset:
    """Rows of the photos of a dataset: what `edge.bulk.process` does."""
    return dataset.map_batches(
        Looker,
        fn_constructor_args=(detect, column),
        batch_size=_AT_ONCE,
        batch_format="pyarrow",
        compute=ActorPoolStrategy(min_size=_LEAST, max_size=workers),
        num_cpus=1,
    )


class Looker:
    """A worker as Ray Data calls it: a batch of photos in, their rows out."""

    def __init__(self, detect: FaceKeypoints, column: str) -> None:
        """Look at what `column` holds, bytes or addresses; `image` says what a photo is called."""
        self._detect, self._column = detect, column

    def __call__(self, batch: pa.Table) -> pa.Table:
        """The rows of a batch, under `edge.bulk.rows.make_schema`.

        Raises:
            SourceError: a column is missing.
        """
        names, values = self._values(batch, "image"), self._values(batch, self._column)
        rows = Rows(self._detect.keypoint_names)
        for name, value in zip(names, values, strict=True):
            data = next(fetch([photo_at(value)])) if isinstance(value, str) else value
            if isinstance(data, bytes):
                look(self._detect, rows, name, data)
            else:
                reason = data if isinstance(data, str) else "the row holds no bytes and no address"
                rows.add_failed(name, reason)
        return rows.to_table()

    @staticmethod
    def _values(batch: pa.Table, column: str) -> list[Any]:
        if column not in batch.column_names:
            raise SourceError(f"the dataset has no column {column!r}, but {batch.column_names}")
        return list(batch.column(column).to_pylist())
