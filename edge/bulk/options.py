"""The command line of `python -m edge.bulk`: its flags and its help."""

from __future__ import annotations

import argparse
import re

from edge import __version__
from edge.cli.model_options import add_keypoint_model, add_upright_only

PROG = "python -m edge.bulk"

_EPILOG = """\
A SOURCE is a folder (with its subfolders), a glob pattern, an image file, a list of addresses (.csv
with a header, .txt with one per line, or a Parquet column of text), or a Parquet column of encoded
images; on this machine or at any address that fsspec opens (s3://, gs://, https:// …; s3fs, gcsfs
and the like are installed separately).

Results: a folder of Parquet partitions. A photo has one row per face, or one row if it has none or
failed: `status` is face, no face or failed, and `reason` says why it failed. The other columns are
those of edge.run --csv. A partition is written completely or not at all; --resume continues an
interrupted run. _manifest.json lists the finished partitions.

Exit status: 0 all photos done (with or without faces), 1 something failed, 2 usage error.

Examples:
  python -m edge.bulk archive/ -o faces/
  python -m edge.bulk archive/ -o faces/ --resume --engine local --workers 8
  python -m edge.bulk s3://archive/2019/ -o s3://archive-faces/2019/ --address ray://head:10001
  python -m edge.bulk photos.parquet --column image -o faces/ --shard 3/16 --resume
"""


def make_parser(prog: str = PROG) -> argparse.ArgumentParser:
    """The parser of the command line, whose usage and examples call it `prog`."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Find faces and keypoints in archives of photos, on one machine or a cluster.",
        epilog=_EPILOG.replace(PROG, prog),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_input_and_output(parser)
    _add_execution(parser.add_argument_group("execution"))
    _add_models(parser.add_argument_group("detection"))
    parser.set_defaults(threads=1)  # per worker
    return parser


def parse_args(argv: list[str] | None = None, prog: str = PROG) -> argparse.Namespace:
    """Parse the command line; exits with status 2 on a usage error."""
    parser = make_parser(prog)
    args = parser.parse_args(argv)
    is_assessed = args.analyze or args.quality or args.expressions
    args.points68 = args.points68 or is_assessed
    if args.engine == "local" and args.address:
        parser.error("--address is for --engine ray; --engine local does not use a cluster")
    return args


def _add_input_and_output(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("sources", nargs="+", metavar="SOURCE", help="see below")
    add("-o", "--output", required=True, metavar="FOLDER", help="path or address of the results")
    add("--version", action="version", version=f"edge {__version__}")
    add("--resume", action="store_true", help="continue: skip photos that FOLDER has already")
    add("--column", metavar="NAME", help="column of bytes or addresses in tables")
    add("--shard", type=_shard, default=(1, 1), metavar="I/N",
        help="process only the I-th of N shards of the photos, selected by name")  # fmt: skip
    add("--partition", type=_positive_int, default=256, metavar="N",
        help="photos per partition (default: %(default)s)")  # fmt: skip


def _add_execution(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--engine", choices=("ray", "local"),
        help="local: processes of this machine (default: ray if it is installed)")  # fmt: skip
    add("--address", metavar="ADDRESS",
        help="address of a Ray cluster: ray://host:10001, host:6379 or auto")  # fmt: skip
    add("--workers", type=_positive_int, metavar="N",
        help="worker processes, one thread each (default: one per core)")  # fmt: skip


def _add_models(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add_keypoint_model(group)
    add("--detector", default="face", metavar="NAME",
        help="face, haar, none or a detector's .onnx file (default: %(default)s)")  # fmt: skip
    add("--analyze", action="store_true",
        help="measure eyes, mouth, distance and attention, too; implies --points68")  # fmt: skip
    add("--quality", action="store_true",
        help="judge each face as a shot; implies --points68")  # fmt: skip
    add("--expressions", action="store_true",
        help="tell expressions, against the mean person; implies --points68")  # fmt: skip
    add("--visible", action="store_true",
        help="tell which keypoints are seen and which are hidden")  # fmt: skip
    add("--precision", choices=("fp32", "int8"), default="fp32", help="default: %(default)s")
    add("--min-score", type=float, default=0.5, metavar="P",
        help="drop faces below this score, 0 to 1 (default: %(default)s)")  # fmt: skip
    add("--max-faces", type=int, metavar="N", help="keep the N largest faces (default: all)")
    add_upright_only(group)
    add("--detect-size", type=int, default=320, metavar="PX",
        help="longer side at which faces are detected (default: %(default)s)")  # fmt: skip


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    number, count = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= number <= count:
        raise argparse.ArgumentTypeError(f"expected I/N with I from 1 to N, received {text!r}")
    return number, count


def _positive_int(text: str) -> int:
    if not (text.isdecimal() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, received {text!r}")
    return int(text)
