"""`python -m edge.bulk SOURCE… -o FOLDER`: archives of photos, into Parquet partitions."""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from edge.arguments import open_models
from edge.bulk_arguments import parse_args
from edge.command import report
from edge.errors import MissingExtra

if TYPE_CHECKING:
    import argparse

    from ray.data import Dataset


def run(args: argparse.Namespace) -> int:
    """Do what the command line asks; returns how many photos and sources failed."""
    _need("bulk", "fsspec", "pyarrow")
    from edge.bulk_run import BulkRun
    from edge.bulk_sources import Shard, list_photos
    from edge.engines import Engine

    kind = args.engine or ("ray" if args.address or find_spec("ray") else "local")
    if kind == "ray":
        _need("ray", "ray")
    bulk = BulkRun(open_models(args), args.output)
    bulk.begin(args.resume)
    listing = list_photos(args.sources, args.column, Shard(*args.shard))
    for problem in listing.problems:
        print(f"edge: {problem}", file=sys.stderr)
    bulk.run(listing.photos, args.partition, Engine(kind, args.workers, args.address))
    return bulk.failed + len(listing.problems)


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
        A dataset of rows as the command writes them: `edge.bulk_rows.make_schema`.

    Raises:
        MissingExtra: Ray is not installed.
        ModelError, ValueError: as `edge.FaceKeypoints`.
    """
    _need("ray", "ray", "pyarrow", "fsspec")
    from edge.bulk_dataset import map_photos
    from edge.facekeypoints import FaceKeypoints

    return map_photos(dataset, FaceKeypoints(**{"precision": "fp32", **settings}), column, workers)


def _need(extra: str, *modules: str) -> None:
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise MissingExtra(
                f"bulk runs need {module} ({error}): pip install 'edge-keypoints[{extra}]'"
            ) from error


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report(lambda: run(args), "interrupted; go on with --resume")


if __name__ == "__main__":
    sys.exit(main())
