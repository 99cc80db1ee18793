"""The options that `edge.run` and `edge.serve` share: the models, and how faces are detected."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from edge.cli.exit_status import UsageError
from edge.errors import EdgeError

if TYPE_CHECKING:
    from edge.facekeypoints import FaceKeypoints


def add_models(group: argparse._ArgumentGroup) -> None:
    """Add the options that `open_models` reads."""
    add = group.add_argument
    add_keypoint_model(group)
    add("--detector", default="face", metavar="NAME",
        help="face (the embedded detector), the .onnx file of another, haar (OpenCV's cascade), or "
        "none (the whole image is one face) (default: %(default)s)")  # fmt: skip
    add("--precision", choices=("auto", "fp32", "int8"), default="auto",
        help="auto: the faster one on this computer (default: %(default)s)")  # fmt: skip
    add("--threads", type=int, default=1, metavar="N",
        help="threads per network (default: %(default)s)")  # fmt: skip
    add("--min-score", type=float, default=0.5, metavar="P",
        help="drop faces below this score, 0 to 1 (default: %(default)s)")  # fmt: skip
    add("--max-faces", type=int, metavar="N",
        help="keep the N largest faces of an image (default: all)")  # fmt: skip
    add_upright_only(group)
    add("--detect-size", type=int, default=320, metavar="PX",
        help="longer side of the image in detection (default: %(default)s)")  # fmt: skip


def add_keypoint_model(group: argparse._ArgumentGroup) -> None:
    """Add the options of the keypoint model, which `open_models` reads."""
    add = group.add_argument
    add("--model", metavar="NAME",
        help="keypoint model: an .onnx file, or small (the embedded smaller one) (default: the "
        "embedded one)")  # fmt: skip
    add("--points68", action="store_true",
        help="predict the 68 points of 300-W and dlib, too")  # fmt: skip


def add_upright_only(group: argparse._ArgumentGroup) -> None:
    """Add the option not to look for faces that lie or stand on their head."""
    group.add_argument("--upright-only", action="store_true",
        help="do not search images without a sure face rotated, too, which takes five times as "
        "long")  # fmt: skip


def open_models(args: argparse.Namespace) -> FaceKeypoints:
    """Open the models that the options of `add_models` describe.

    Raises:
        EdgeError: as `FaceKeypoints`.
        UsageError: an option is out of range.
    """
    from edge.facekeypoints import FaceKeypoints

    try:
        return FaceKeypoints(
            model=args.model,
            detector=args.detector,
            precision=args.precision,
            threads=args.threads,
            min_score=args.min_score,
            max_faces=args.max_faces,
            detect_size=args.detect_size,
            points68=args.points68,
            any_roll=not args.upright_only,
        )
    except EdgeError:
        raise
    except ValueError as error:
        raise UsageError(str(error)) from error
