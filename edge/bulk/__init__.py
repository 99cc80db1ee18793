"""Archives of photos to Parquet: `python -m edge.bulk`, and `process` inside a Ray pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.extras import require

if TYPE_CHECKING:
    from ray.data import Dataset

__all__ = ["process"]


def process(dataset: Dataset, column: str = "image", workers: int = 1, **settings: Any) -> Dataset:
    """Find the faces and keypoints of a Ray dataset of photos, as a stage of a Ray pipeline.

    Args:
        dataset: its column `image` names each photo, and is also the photo's path or address unless
            `column` is another; where `image` is no text, as of `ray.data.read_images` with
            `include_paths=True`, the column `path` does.
        column: the column of the photos' bytes, of their paths or addresses, of decoded images
            (uint8 `(H, W, C)`), or of structs with `bytes` or `path`.
        workers: maximum number of workers. Each takes one core and opens the models once; the stage
            that reads the photos needs one core besides the first worker's.
        **settings: keyword arguments of `edge.FaceKeypoints`. `precision` defaults to "fp32", so
            that rows do not depend on the machine.

    Returns:
        A dataset of rows with the schema of the command's results, `edge.bulk.rows.make_schema`.

    Raises:
        MissingExtra: Ray, pyarrow or fsspec is not installed.
        ModelError, ValueError: as for `edge.FaceKeypoints`.
    """
    for module in ("ray", "pyarrow", "fsspec"):
        require(module, "ray", "edge.bulk.process")
    from edge.bulk.ray_dataset import map_photos
    from edge.facekeypoints import FaceKeypoints

    return map_photos(dataset, FaceKeypoints(**{"precision": "fp32", **settings}), column, workers)
