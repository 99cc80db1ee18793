"""The command line of `python -m edge.run`: its flags and its help."""

from __future__ import annotations

import argparse

from edge import __version__

_EPILOG = """\
Results: one line per face on standard output, and an annotated copy of each picture:
photo.keypoints.jpg beside photo.jpg. Coordinates are pixels, pixel centres at integers,
left and right the subject's. `error` is the radius that holds the true point with
probability 0.5.

Exit status: 0 all pictures done (with or without faces), 1 something failed, 2 wrong usage.

Examples:
  python -m edge.run photo.jpg
  python -m edge.run *.jpg -o annotated/ --json faces.jsonl --csv faces.csv
  python -m edge.run crop.png --detector none --json -
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m edge.run",
        description="Find faces in pictures and mark 15 keypoints on each.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("images", nargs="+", metavar="IMAGE", help="a picture, or - for one on standard input")
    add("-o", "--output", metavar="PATH", help="annotated picture, or a folder (no suffix)")
    add("--no-picture", action="store_true", help="write no annotated picture")
    add(
        "--json", metavar="FILE", help="one JSON object per picture and line; - for standard output"
    )
    add("--csv", metavar="FILE", help="one row per face; - for standard output")
    add("--names", action="store_true", help="write the keypoints' names on the picture")
    add("--errors", action="store_true", help="draw each keypoint's error radius")
    add("--model", metavar="FILE", help="keypoint model, .onnx (default: the embedded one)")
    add("--detector", default="face", metavar="NAME",
        help="face (embedded), haar (OpenCV's cascade), none (the whole picture is one face), or "
        "a detector's .onnx file (default: %(default)s)")  # fmt: skip
    add("--precision", choices=("auto", "fp32", "int8"), default="auto",
        help="auto: whichever is faster here (default: %(default)s)")  # fmt: skip
    add("--threads", type=int, default=1, metavar="N", help="default: %(default)s")
    add("--min-score", type=float, default=0.5, metavar="P",
        help="drop faces below this score, 0 to 1 (default: %(default)s)")  # fmt: skip
    add("--max-faces", type=int, metavar="N", help="keep the N largest faces (default: all)")
    add("--detect-size", type=int, default=320, metavar="PX",
        help="longer side at which faces are searched (default: %(default)s)")  # fmt: skip
    add("--version", action="version", version=f"edge {__version__}")
    args = parser.parse_args(argv)
    if args.json == "-" and args.csv == "-":
        parser.error("--json and --csv cannot both go to standard output")
    if args.no_picture and args.output:
        parser.error("--output names a picture, and --no-picture asks for none")
    return args
