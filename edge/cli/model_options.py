"""The options that every command shares: which networks find faces, and how."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from edge.cli.exit_status import UsageError
from edge.errors import EdgeError

if TYPE_CHECKING:
    from edge.facekeypoints import FaceKeypoints


def add_models(group: argparse._ArgumentGroup) -> None:
    """Add the flags that say which networks find faces, and how; see `open_models`."""
    add = group.add_argument
    add("--model", metavar="FILE", help="keypoint model, .onnx (default: the embedded one)")
    add("--detector", default="face", metavar="NAME",
        help="face (the embedded one), another's .onnx file, haar (OpenCV's cascade), or none (the "
        "whole picture is one face) (default: %(default)s)")  # fmt: skip
    add("--precision", choices=("auto", "fp32", "int8"), default="auto",
        help="auto: whichever is faster here (default: %(default)s)")  # fmt: skip
    add("--threads", type=int, default=1, metavar="N", help="default: %(default)s")
    add("--min-score", type=float, default=0.5, metavar="P",
        help="drop faces below this score, 0 to 1 (default: %(default)s)")  # fmt: skip
    add("--max-faces", type=int, metavar="N", help="keep the N largest faces (default: all)")
    add("--detect-size", type=int, default=320, metavar="PX",
        help="longer side at which faces are searched (default: %(default)s)")  # fmt: skip


def open_models(args: argparse.Namespace) -> FaceKeypoints:
    """Open the networks that the flags of `add_models` name.

    Raises:
        EdgeError: as `FaceKeypoints`.
        UsageError: a setting is out of its range.
    """
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
        raise UsageError(str(error)) from error
