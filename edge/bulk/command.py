"""`python -m edge.bulk SOURCE… -o FOLDER`: archives of photos to Parquet partitions."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from edge.bulk.options import PROG, parse_args
from edge.cli.exit_status import run_command
from edge.cli.model_options import open_models
from edge.cli.streams import make_streams_readable
from edge.extras import require

if TYPE_CHECKING:
    import argparse

    from edge.bulk.executors import ExecutorKind


def run(args: argparse.Namespace) -> int:
    """Run the job that the command line describes.

    Args:
        args: as `parse_args` returns them.

    Returns:
        How many photos and sources failed.

    Raises:
        EdgeError: the job cannot run, or cannot continue.
        UsageError: a setting is out of its range.
    """
    for module in ("fsspec", "pyarrow"):
        require(module, "bulk", "edge.bulk")
    from edge.analysis.analyzer import Analyzer
    from edge.analysis.assessment import Assessor
    from edge.analysis.visibility import Visibility
    from edge.bulk.executors import Executor
    from edge.bulk.inputs import Shard, list_photos
    from edge.bulk.job import BulkJob

    executor = Executor(_executor_kind(args), args.workers, args.address)
    if executor.kind == "ray":
        require("ray", "ray", "edge.bulk --engine ray")
    assess = None
    if args.analyze or args.quality or args.expressions or args.visible:
        assess = Assessor(
            with_quality=args.quality,
            expressions="absolute" if args.expressions else None,
            analyze=Analyzer() if args.analyze else None,
            visibility=Visibility() if args.visible else None,
        )
    job = BulkJob(open_models(args), args.output, assess)
    job.prepare(args.resume)
    listing = list_photos(args.sources, args.column, Shard(*args.shard))
    for problem in [*listing.skipped, *listing.problems]:
        print(f"edge: {problem}", file=sys.stderr)
    job.run(listing.photos, args.partition, executor)
    return job.failed + len(listing.problems)


def _executor_kind(args: argparse.Namespace) -> ExecutorKind:
    if args.engine == "local" or not (args.engine or args.address or find_spec("ray")):
        return "local"
    return "ray"


def main(argv: list[str] | None = None, prog: str = PROG) -> int:
    """Run the command line, which its messages call `prog`; returns the exit status."""
    make_streams_readable()
    args = parse_args(argv, prog)
    return run_command(lambda: run(args), "interrupted; continue with --resume")
