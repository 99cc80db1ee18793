"""Archives of photos into Parquet: `python -m edge.bulk`, and `process` within a Ray pipeline."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from edge.errors import MissingExtra

if TYPE_CHECKING:
    from ray.data import Dataset

__all__ = ["process"]


def process(dataset: Dataset, column: str = "image", workers: int = 1, **settings: Any) -> Dataset:
    """Look at the photos of a Ray dataset, within a pipeline of your own.

    Args:
        dataset: with a column `image`, what each photo is called, which is also its path or address
            unless `column` is another.
        column: that holds each photo's bytes, or its path or address.
        workers: how many at most; each takes a core and opens the models once. Whatever reads the
            photos needs another core beside the first of them.
        **settings: of `edge.FaceKeypoints`; `precision` is "fp32" unless it is given, so that rows
            do not depend on the machine.

    Returns:
        A dataset of rows as the command writes them: `edge.bulk.rows.make_schema`.

    Raises:
        MissingExtra: Ray is not installed.
        ModelError, ValueError: as `edge.FaceKeypoints`.
    """
    require("ray", "ray", "pyarrow", "fsspec")
    from edge.bulk.ray_dataset import map_photos
    from edge.facekeypoints import FaceKeypoints

    return map_photos(dataset, FaceKeypoints(**{"precision": "fp32", **settings}), column, workers)


def require(extra: str, *modules: str) -> None:
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise MissingExtra(
                f"bulk runs need {module} ({error}): pip install 'edge-keypoints[{extra}]'"
            ) from error
