"""`python -m edge.bulk SOURCE… -o FOLDER`: archives of photos, into Parquet partitions."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from edge.bulk import require
from edge.bulk.options import parse_args
from edge.cli.exit_status import run_command
from edge.cli.model_options import open_models

if TYPE_CHECKING:
    import argparse


def run(args: argparse.Namespace) -> int:
    """Do what the command line asks; returns how many photos and sources failed."""
    require("bulk", "fsspec", "pyarrow")
    from edge.bulk.executors import Engine
    from edge.bulk.inputs import Shard, list_photos
    from edge.bulk.job import BulkRun

    kind = args.engine or ("ray" if args.address or find_spec("ray") else "local")
    if kind == "ray":
        require("ray", "ray")
    bulk = BulkRun(open_models(args), args.output)
    bulk.begin(args.resume)
    listing = list_photos(args.sources, args.column, Shard(*args.shard))
    for problem in listing.problems:
        print(f"edge: {problem}", file=sys.stderr)
    bulk.run(listing.photos, args.partition, Engine(kind, args.workers, args.address))
    return bulk.failed + len(listing.problems)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return run_command(lambda: run(args), "interrupted; go on with --resume")
