"""`python -m edge.run photo.jpg`: find faces and their keypoints, draw and write them."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from edge import __version__
from edge.errors import EdgeError, ImageError, SourceError

if TYPE_CHECKING:
    from edge.facekeypoints import FaceKeypoints
    from edge.output import PictureNames, Tables

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
    add("-o", "--output", metavar="PATH", help="annotated picture, or a folder for several")
    add("--no-picture", action="store_true", help="write no annotated picture")
    add(
        "--json", metavar="FILE", help="one JSON object per picture and line; - for standard output"
    )
    add("--csv", metavar="FILE", help="one row per face; - for standard output")
    add("--names", action="store_true", help="write the keypoints' names on the picture")
    add("--errors", action="store_true", help="draw each keypoint's error radius")
    add("--model", metavar="FILE", help="keypoint model, .onnx (default: the embedded one)")
    add("--detector", choices=("cascade", "none"), default="cascade",
        help="none: the whole picture is one face (default: %(default)s)")  # fmt: skip
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
    return args


def run(args: argparse.Namespace) -> int:
    """Do what the command line asks; returns how many pictures failed."""
    from edge.facekeypoints import FaceKeypoints
    from edge.output import PictureNames, open_tables

    detect = FaceKeypoints(
        model=args.model, detector=args.detector, precision=args.precision, threads=args.threads,
        min_score=args.min_score, max_faces=args.max_faces, detect_size=args.detect_size,
    )  # fmt: skip
    pictures = None if args.no_picture else PictureNames(args.images, args.output)
    failed = 0
    with open_tables(detect.keypoint_names, args.json, args.csv) as tables:
        for name in args.images:
            try:
                _run_one(name, args, detect, pictures, tables)
            except (ImageError, SourceError) as error:
                print(f"edge: {error}", file=sys.stderr)
                failed += 1
    if failed and len(args.images) > 1:
        print(f"edge: {failed} of {len(args.images)} pictures failed", file=sys.stderr)
    return failed


def _run_one(
    name: str,
    args: argparse.Namespace,
    detect: FaceKeypoints,
    pictures: PictureNames | None,
    tables: Tables,
) -> None:
    from edge.drawing import draw
    from edge.image import load_image, save_image

    image = load_image(sys.stdin.buffer.read() if name == "-" else name)
    faces = detect(image)
    height, width = image.shape[:2]
    tables.write(name, width, height, faces)
    if "-" not in (args.json, args.csv):
        for number, face in enumerate(faces):
            x, y, w, h = (round(float(value)) for value in face.box)
            print(
                f"{name}: face {number} at x {x}, y {y}, {w}×{h} px, score {face.score:.2f}, "
                f"typical error {float(face.error.mean()):.1f} px"
            )
    if not faces:
        print(f"{name}: no face found", file=sys.stderr)
    if pictures:
        path = pictures.next(name)
        save_image(
            draw(image, faces, names=detect.keypoint_names, show_names=args.names,
                 show_error=args.errors),
            path,
        )  # fmt: skip
        print(f"{name}: annotated picture: {path}", file=sys.stderr)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    try:
        return 1 if run(args) else 0
    except EdgeError as error:
        print(f"edge: {error}", file=sys.stderr)
        return 1
    except ValueError as error:  # a setting out of its range
        print(f"edge: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("edge: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
