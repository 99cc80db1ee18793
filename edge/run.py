"""`python -m edge.run photo.jpg`: find faces and their keypoints, draw and write them."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

from edge.arguments import parse_args
from edge.errors import EdgeError, ImageError, SourceError

if TYPE_CHECKING:
    import argparse

    from edge.facekeypoints import FaceKeypoints
    from edge.output import PictureNames, Tables


class _UsageError(Exception):
    """A setting on the command line is out of its range."""


def run(args: argparse.Namespace) -> int:
    """Do what the command line asks; returns how many pictures failed."""
    from edge.output import PictureNames, open_tables

    detect = _open(args)
    tables = [path for path in (args.json, args.csv) if path and path != "-"]
    pictures = None if args.no_picture else PictureNames(args.images, args.output, tables)
    failed = 0
    with open_tables(detect.keypoint_names, args.json, args.csv, args.images) as rows:
        for name in args.images:
            try:
                _run_one(name, args, detect, pictures, rows)
            except (ImageError, SourceError) as error:
                print(f"edge: {error}", file=sys.stderr)
                failed += 1
            except MemoryError:
                print(f"edge: {name}: too large for the memory of this computer", file=sys.stderr)
                failed += 1
    if failed and len(args.images) > 1:
        print(f"edge: {failed} of {len(args.images)} pictures failed", file=sys.stderr)
    return failed


def _open(args: argparse.Namespace) -> FaceKeypoints:
    from edge.facekeypoints import FaceKeypoints

    try:
        return FaceKeypoints(
            model=args.model, detector=args.detector, precision=args.precision,
            threads=args.threads, min_score=args.min_score, max_faces=args.max_faces,
            detect_size=args.detect_size,
        )  # fmt: skip
    except EdgeError:
        raise
    except ValueError as error:
        raise _UsageError(str(error)) from error


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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names need not be valid text
    try:
        status = 1 if run(args) else 0
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python would complain once more on closing it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except _UsageError as error:
        print(f"edge: {error}", file=sys.stderr)
        return 2
    except (EdgeError, OSError) as error:
        print(f"edge: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("edge: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
