"""The command line options of `python -m edge.run`, and their help."""

from __future__ import annotations

import argparse
import math

from edge import __version__
from edge.cli.model_options import add_models

PROG = "python -m edge.run"
_MAX_ALIGNED_SIZE = 4096  # px; more than the input of any face recognition network

_EPILOG = """\
A SOURCE is an image; a folder or a quoted pattern of images and videos; a video; camera:0 or
/dev/video0; camera:pi, a Raspberry Pi's own; the rtsp:// or http(s):// address of a video; a file
of face crops (.npy, uint8 N×96×96, or Kaggle's test.csv, plain or zipped); or - for an image or a
video on standard input.

Output: one line per face of an image on standard output, and an annotated copy of each image or
video: photo.keypoints.jpg beside photo.jpg. Coordinates are in pixels, with pixel centres at
integers; left and right are the subject's. `error` is the radius around a keypoint that contains
the true point with probability 0.5, `error90` with 0.9. In a video each face has a track number.

Exit status: 0 success (with or without faces), 1 something failed, 2 usage error.

Examples:
  python -m edge.run photo.jpg
  python -m edge.run holiday/ --recursive -o annotated/ --json faces.jsonl --csv faces.csv
  python -m edge.run film.mp4 --json - --no-picture
  python -m edge.run camera:0 -o annotated.mp4 --blur face
  python -m edge.run crop.png --detector none --json -
"""


def make_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The parser of the command line, whose usage and examples call it `prog`."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Find faces in images and videos, and 15 keypoints on each.",
        epilog=_EPILOG.replace(PROG, prog),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="see below")
    parser.add_argument("--version", action="version", version=f"edge {__version__}")
    parser.add_argument(
        "--info", action="store_true", help="print versions, models and processor, for bug reports"
    )
    _add_outputs(parser.add_argument_group("output"))
    _add_annotations(parser.add_argument_group("annotation tools, of still images"))
    add_models(parser.add_argument_group("models and detection"))
    _add_sources(parser.add_argument_group("folders and videos"))
    return parser


def parse_args(argv: list[str] | None = None, prog: str = PROG) -> argparse.Namespace:
    """Parse the command line; exits with status 2 on a usage error."""
    parser = make_parser(prog)
    args = parser.parse_args(argv)
    args.quality = args.quality or args.best is not None
    args.analyze = args.analyze or args.events is not None
    needs_points68 = args.quality or args.analyze or args.expressions is not None
    args.points68 = args.points68 or needs_points68
    if error := _usage_error(args):
        parser.error(error)
    return args


def _usage_error(args: argparse.Namespace) -> str | None:
    """What is wrong with options that do not go together or are out of range, if anything."""
    if [args.json, args.csv, args.output].count("-") > 1:
        return "only one of --json, --csv and --output can write to standard output"
    if args.no_picture and args.output:
        return "--output and --no-picture exclude each other"
    if args.no_picture and args.blur:
        return "--blur and --no-picture exclude each other: nothing would be hidden"
    if not args.sources and not args.info:
        return "the following arguments are required: SOURCE"
    if args.resume and (not (args.json or args.csv) or "-" in (args.json, args.csv)):
        return "--resume needs a file in --json or --csv, from which it reads what is complete"
    if args.events == "-" and "-" in (args.json, args.csv, args.output):
        return "only one of --json, --csv, --events and --output can write to standard output"
    if args.resume and args.events:
        return "--resume and --events exclude each other: events need the whole video"
    if args.best is not None and args.best == args.align:
        return "--best and --align need different folders"
    if args.resume and (args.coco or args.cvat or args.label_studio or args.labelme):
        return "--resume does not go with --coco, --cvat, --label-studio and --labelme"
    if args.outline and not args.points68:
        return "--outline needs --points68, which predicts what it draws"
    if args.focal is not None and not 0 < args.focal < math.inf:
        return f"--focal must be above 0 and finite, received {args.focal}"
    if args.every < 1:
        return f"--every must be at least 1, received {args.every}"
    if not 1 <= args.align_size <= _MAX_ALIGNED_SIZE:
        return f"--align-size must be from 1 to {_MAX_ALIGNED_SIZE}, received {args.align_size}"
    if not 0 <= args.blur_min_score <= 1:
        return f"--blur-min-score must lie between 0 and 1, received {args.blur_min_score}"
    if not 0 <= args.start < math.inf:
        return f"--start must be at least 0 and finite, received {args.start}"
    if args.stop is not None and not args.stop > args.start:
        return f"--stop must be greater than --start, received {args.stop}"
    return None


def _add_outputs(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("-o", "--output", metavar="PATH",
        help="annotated image or video, or a folder (a path without suffix); - writes a JPEG image "
        "to stdout")  # fmt: skip
    add("--no-picture", action="store_true", help="write no annotated images or videos")
    add("--json", metavar="FILE", help="write one JSON object per image or frame; - for stdout")
    add("--csv", metavar="FILE", help="write one row per face; - for stdout")
    add("--resume", action="store_true",
        help="skip sources that are complete in --json and --csv, and append")  # fmt: skip
    add("--frontal", action="store_true",
        help="in --json, measure faces as if they looked at the camera")  # fmt: skip
    add(
        "--focal",
        type=float,
        metavar="PX",
        help="the camera's focal length, for pose and distance (default: 1.5 longer sides; with "
        "--analyze that of a photo's EXIF)",
    )
    add("--quality", action="store_true",
        help="judge each face as a shot, in --json and --csv; implies --points68")  # fmt: skip
    add("--expressions", choices=("absolute", "relative"),
        help="tell expressions, in --json and --csv: against the mean person, or in videos against "
        "the person's own usual face; implies --points68")  # fmt: skip
    add("--analyze", action="store_true",
        help="measure eyes, mouth, distance and attention, in --json and --csv; implies "
        "--points68")  # fmt: skip
    add("--events", metavar="FILE",
        help="write one JSON object per blink, yawn, nod … of a face in a video; - for stdout; "
        "implies --analyze")  # fmt: skip
    add("--visible", action="store_true",
        help="tell which keypoints are seen and which are hidden, in --json and --csv; hidden ones "
        "are drawn hollow")  # fmt: skip
    add("--names", action="store_true", help="draw the names of the keypoints")
    add("--errors", action="store_true", help="draw the error radius of each keypoint")
    add("--outline", action="store_true",
        help="draw the lines through the 68 points; with --points68")  # fmt: skip
    add("--blur", choices=("face", "eyes"),
        help="make faces unrecognisable instead of drawing keypoints")  # fmt: skip
    add("--blur-min-score", type=float, default=0.2, metavar="P",
        help="hide everything above this score, 0 to 1; at most --min-score (default: "
        "%(default)s)")  # fmt: skip
    add("--align", metavar="DIR", help="write aligned face crops, for face recognition")
    add(
        "--best",
        metavar="DIR",
        help="write the best shot of each track of a video, and of each image; implies --quality",
    )
    add("--align-size", type=int, default=112, metavar="PX",
        help="side of an aligned face (default: %(default)s)")  # fmt: skip


def _add_annotations(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--coco", metavar="FILE", help="write keypoints in COCO's JSON format")
    add("--cvat", metavar="FILE", help="write skeletons in CVAT's XML format for images")
    add("--label-studio", metavar="FILE", help="write predictions in Label Studio's JSON format")
    add("--labelme", metavar="DIR", help="write a JSON file of LabelMe for each image")


def _add_sources(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--recursive", action="store_true", help="search subfolders, too")
    add("--every", type=int, default=1, metavar="N", help="process every N-th frame of a video")
    add("--start", type=float, default=0.0, metavar="SECONDS", help="start time in a video")
    add("--stop", type=float, metavar="SECONDS", help="end time in a video")
    add("--smooth", choices=("on", "off"), default="on",
        help="temporal smoothing of keypoints in videos (default: %(default)s)")  # fmt: skip
