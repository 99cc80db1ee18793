"""The command line of `python -m edge.run`: its flags and its help."""

from __future__ import annotations

import argparse
import math

from edge import __version__
from edge.cli.model_options import add_models

_LARGEST_ALIGNED = 4096  # px; more than any recognition network takes

_EPILOG = """\
A SOURCE is a picture; a folder or a pattern of pictures and videos; a video; camera:0; faces that
are cut out already (.npy, uint8 N×96×96, or Kaggle's test.csv, plain or zipped); or - for a picture
on standard input.

Results: one line per face of a picture on standard output, and an annotated copy of each picture
or video: photo.keypoints.jpg beside photo.jpg. Coordinates are pixels, pixel centres at integers,
left and right the subject's. `error` is the radius that holds the true point with
probability 0.5. In videos each face keeps its number while it is seen.

Exit status: 0 all done (with or without faces), 1 something failed, 2 wrong usage.

Examples:
  python -m edge.run photo.jpg
  python -m edge.run holiday/ --recursive -o annotated/ --json faces.jsonl --csv faces.csv
  python -m edge.run film.mp4 --json - --no-picture
  python -m edge.run camera:0 -o seen.mp4 --blur face
  python -m edge.run crop.png --detector none --json -
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m edge.run",
        description="Find faces in pictures and videos and mark 15 keypoints on each.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="see below")
    parser.add_argument("--version", action="version", version=f"edge {__version__}")
    parser.add_argument("--info", action="store_true", help="print what a bug report needs")
    _add_outputs(parser.add_argument_group("what is written"))
    add_models(parser.add_argument_group("how faces are found"))
    _add_sources(parser.add_argument_group("folders and videos"))
    args = parser.parse_args(argv)
    if args.json == "-" and args.csv == "-":
        parser.error("--json and --csv cannot both go to standard output")
    if args.no_picture and args.output:
        parser.error("--output names a picture, and --no-picture asks for none")
    if not args.sources and not args.info:
        parser.error("the following arguments are required: SOURCE")
    if args.resume and (not (args.json or args.csv) or "-" in (args.json, args.csv)):
        parser.error("--resume needs the file of --json or --csv to see what is done")
    if args.every < 1 or not 1 <= args.align_size <= _LARGEST_ALIGNED:
        parser.error(f"--every must be at least 1, --align-size from 1 to {_LARGEST_ALIGNED}")
    if not 0 <= args.start < math.inf or (args.stop is not None and not args.stop > args.start):
        parser.error("--start must be at least 0, and --stop after it")
    return args


def _add_outputs(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "-o", "--output", metavar="PATH", help="annotated picture or video, or a folder (no suffix)"
    )
    add("--no-picture", action="store_true", help="write no annotated picture or video")
    add("--json", metavar="FILE", help="one JSON object per picture or frame; - for stdout")
    add("--csv", metavar="FILE", help="one row per face; - for stdout")
    add("--resume", action="store_true", help="go on where the tables end")
    add("--names", action="store_true", help="write the keypoints' names on the picture")
    add("--errors", action="store_true", help="draw each keypoint's error radius")
    add(
        "--blur", choices=("face", "eyes"), help="make faces unrecognisable instead of marking them"
    )
    add("--align", metavar="DIR", help="write each face cut out upright, for recognition")
    add("--align-size", type=int, default=112, metavar="PX", help="its side (default: %(default)s)")


def _add_sources(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--recursive", action="store_true", help="search folders within folders too")
    add("--every", type=int, default=1, metavar="N", help="of videos, each N-th frame")
    add("--start", type=float, default=0.0, metavar="SECONDS", help="of videos, where to begin")
    add("--stop", type=float, metavar="SECONDS", help="of videos, where to end")
    add("--smooth", choices=("on", "off"), default="on",
        help="hold still points still in videos (default: %(default)s)")  # fmt: skip
