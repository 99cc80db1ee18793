"""`python -m edge.run photo.jpg`: find faces and their keypoints, and write them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.exit_status import run_command
from edge.cli.filenames import STDIO
from edge.cli.model_options import open_models
from edge.cli.streams import make_streams_readable
from edge.run.options import PROG, parse_args

if TYPE_CHECKING:
    import argparse

    from edge.analysis.assessment import Assessor
    from edge.cli.annotation_files import AnnotationFiles
    from edge.facekeypoints import FaceKeypoints
    from edge.run.reporter import Drawing, Outputs
    from edge.run.tables import TableContent, TablePaths, Tables


def run(args: argparse.Namespace) -> int:
    """Process the sources of a parsed command line; returns the number of failures."""
    from edge.measures import MeasureSettings
    from edge.run.films import FrameRange
    from edge.run.job import Job
    from edge.run.output_paths import AnnotatedPaths
    from edge.run.reporter import Reporter
    from edge.run.sources import expand
    from edge.run.tables import TableContent, TablePaths, open_tables

    skipped: list[str] = []
    sources = expand(args.sources, args.recursive, skipped)
    for message in skipped:
        print(f"edge: {message}", file=sys.stderr)
    names = [source.name for source in sources]
    detect = open_models(args)
    paths = TablePaths(args.json, args.csv, args.events)
    annotations = _annotations(args, names)
    annotated = None if args.no_picture else AnnotatedPaths(names, args.output, paths.files)
    assess = _assessor(args)
    measuring = MeasureSettings(args.focal, args.frontal)
    content = TableContent(detect.points68, measuring, assess.columns if assess else ())
    completed = _completed(paths, names, detect, args.resume, content)
    frame_range = FrameRange(args.every, args.start, args.stop)
    keypoint_names = detect.keypoint_names
    with open_tables(keypoint_names, paths, names, args.resume, content) as tables:
        outputs = _outputs(args, tables, paths, names, annotations)
        reporter = Reporter(outputs, _drawing(args), keypoint_names, detect.detect_size)
        finder = _finder(args, detect) if annotated else None
        job = Job(detect, reporter, annotated, frame_range, args.smooth == "on", finder, assess)
        job.run(sources, completed)
    annotations.write()
    if reporter.failed and len(sources) > 1:
        print(f"edge: {reporter.failed} of {len(sources)} sources failed", file=sys.stderr)
    return reporter.failed


def _assessor(args: argparse.Namespace) -> Assessor | None:
    """Assesses the faces; None if that was not asked for."""
    if not (args.quality or args.expressions or args.analyze or args.visible):
        return None
    from edge.analysis.analyzer import Analyzer
    from edge.analysis.assessment import Assessor
    from edge.analysis.visibility import Visibility

    analyze = Analyzer(focal_px=args.focal, threads=args.threads) if args.analyze else None
    return Assessor(
        with_quality=args.quality,
        expressions=args.expressions,
        analyze=analyze,
        visibility=Visibility(threads=args.threads) if args.visible else None,
    )


def _finder(args: argparse.Namespace, detect: FaceKeypoints) -> FaceKeypoints | None:
    """Finds what is hidden; None if nothing is."""
    if args.blur is None:
        return None
    from edge.run.hiding import open_finder

    return open_finder(detect, args.blur_min_score)


def _completed(
    paths: TablePaths,
    names: list[str],
    detect: FaceKeypoints,
    resume: bool,
    content: TableContent,
) -> set[str]:
    """The sources that a resumed run skips."""
    from edge.run.resume import drop_incomplete, remove_marks
    from edge.run.tables import csv_columns

    if resume:
        columns = csv_columns(detect.keypoint_names, content)
        return drop_incomplete(paths, set(names), columns)
    remove_marks(paths)
    return set()


def _outputs(
    args: argparse.Namespace,
    tables: Tables,
    paths: TablePaths,
    names: list[str],
    annotations: AnnotationFiles,
) -> Outputs:
    from edge.run.best_shots import BestShots
    from edge.run.output_paths import AlignedPaths
    from edge.run.reporter import Outputs

    return Outputs(
        tables=tables,
        table_paths=paths,
        annotations=annotations,
        aligned=AlignedPaths(Path(args.align), names) if args.align else None,
        aligned_size=args.align_size,
        best=BestShots(AlignedPaths(Path(args.best), names), args.align_size)
        if args.best
        else None,
        print_faces=not paths.use_stdout and args.output != STDIO,
    )


def _annotations(args: argparse.Namespace, names: list[str]) -> AnnotationFiles:
    """The files for annotation tools, checked against the sources."""
    from edge.cli.annotation_files import AnnotationFiles
    from edge.formats.annotations import WRITERS

    paths = {name: Path(path) for name in WRITERS if (path := getattr(args, name))}
    files = AnnotationFiles(paths, Path(args.labelme) if args.labelme else None)
    files.check(names)
    return files


def _drawing(args: argparse.Namespace) -> Drawing:
    from edge.run.reporter import Drawing

    return Drawing(args.names, args.errors, args.outline, args.blur)


def print_info(args: argparse.Namespace) -> int:
    """Print the facts of a bug report; returns 0, the number of failures."""
    from edge.run.environment import describe

    print(describe(open_models(args), args.precision))
    return 0


def main(argv: list[str] | None = None, prog: str = PROG) -> int:
    """Run the command line, which its messages call `prog`; returns the exit status."""
    make_streams_readable()
    args = parse_args(argv, prog)
    return run_command(lambda: print_info(args) if args.info else run(args))
