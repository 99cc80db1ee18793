"""Faces of the photos of a Ray dataset: the stage that `edge.bulk.process` adds to a pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image
from ray.data import ActorPoolStrategy, Dataset

from edge.bulk.batches import process_photos
from edge.bulk.column_types import content_of, photo_of
from edge.bulk.photos import fetch, photo_at
from edge.bulk.rows import Rows
from edge.errors import SourceError
from edge.facekeypoints import FaceKeypoints
from edge.image import ImageSource

_MIN_WORKERS = 1  # Ray adds workers as cores become free, so that the stage that reads has one too
_NAME_COLUMNS = ("image", "path")
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
        """Take photos from `column`, and their names as `edge.bulk.process` says."""
        self._detect = detect
        self._column = column

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Map a batch of photos to rows.

        Args:
            batch: a table with the column of the photos and one of their names.

        Returns:
            Rows with the schema of `edge.bulk.rows.make_schema`.

        Raises:
            SourceError: a column is missing.
        """
        photos = _values(batch, self._column)
        rows = Rows(self._detect.keypoint_names, self._detect.points68)
        names = map(str, _names(batch))
        process_photos(self._detect, rows, zip(names, map(_source, photos), strict=True))
        return rows.to_table()


def _source(value: object) -> ImageSource:
    """The photo in a row, or a str with the reason why it cannot be read."""
    photo = photo_of(value)
    if isinstance(photo, str):
        return next(fetch([photo_at(photo)]))
    if isinstance(photo, bytes | np.ndarray):
        return _as_image(photo)
    return "the row holds no bytes and no address"


def _as_image(photo: bytes | NDArray[np.uint8]) -> ImageSource:
    """A photo as the loader takes it; arrays are those of Ray's `read_images`, in any mode."""
    if isinstance(photo, bytes) or photo.ndim != 3 or photo.dtype != np.uint8:
        return photo
    channels = photo.shape[2]
    image: NDArray[np.uint8] = photo
    if channels == 1:
        image = photo[..., 0]
    elif len(photo) == 1 and channels > 4:  # as Ray stores grey beside images in colour
        image = photo[0]
    return Image.fromarray(image) if channels in (2, 4) else image  # with transparency


def _names(batch: pa.Table) -> list[Any]:
    """The names of the photos: the first column of text of those that may hold them."""
    for column in _NAME_COLUMNS:
        if column in batch.column_names and content_of(batch.schema.field(column).type) == "text":
            return _values(batch, column)
    raise SourceError(
        f"the dataset has no column of text named {' or '.join(_NAME_COLUMNS)}, which names the "
        f"photos; received {batch.column_names}; with read_images, give include_paths=True"
    )


def _values(batch: pa.Table, column: str) -> list[Any]:
    if column not in batch.column_names:
        raise SourceError(f"the dataset has no column {column!r}; received {batch.column_names}")
    return list(batch.column(column).to_pylist())
