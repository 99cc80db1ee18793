"""The command line of `python -m edge.bulk`: its flags and its help."""

from __future__ import annotations

import argparse
import re

from edge import __version__

_EPILOG = """\
A SOURCE is a folder (with the folders in it), a pattern, a picture, a list of addresses (.csv with
a header, .txt with one a line, or a Parquet column of text), or a Parquet column of pictures'
bytes; on this machine or at an address that fsspec opens (s3://, gs://, https:// …; s3fs, gcsfs and
the like are installed beside it).

Results: a folder of Parquet partitions. A photo has a row for each face, or one that says that
there is none or why it failed: `status` is face, no face or failed, and `reason` says why. The
other columns are those of edge.run --csv. A partition is written whole or not at all; --resume goes
on after whatever ended a run. _manifest.json says what is done.

Exit status: 0 all done (with or without faces), 1 something failed, 2 wrong usage.

Examples:
  python -m edge.bulk archive/ -o faces/
  python -m edge.bulk archive/ -o faces/ --resume --engine local --workers 8
  python -m edge.bulk s3://archive/2019/ -o s3://archive-faces/2019/ --address ray://head:10001
  python -m edge.bulk photos.parquet --column image -o faces/ --shard 3/16 --resume
"""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m edge.bulk",
        description="Find faces and keypoints in archives of photos, on one machine or a cluster.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("sources", nargs="+", metavar="SOURCE", help="see below")
    add("-o", "--output", required=True, metavar="FOLDER", help="folder or address of the results")
    add("--version", action="version", version=f"edge {__version__}")
    add("--resume", action="store_true", help="go on: photos that FOLDER has are skipped")
    add("--column", metavar="NAME", help="of tables: which holds bytes or addresses")
    add("--shard", type=_shard, default=(1, 1), metavar="I/N",
        help="only the I-th of N parts of the photos, dealt by their names")  # fmt: skip
    add("--partition", type=_count, default=256, metavar="N",
        help="photos in one partition (default: %(default)s)")  # fmt: skip
    _add_engine(parser.add_argument_group("who does it"))
    _add_models(parser.add_argument_group("how faces are found"))
    parser.set_defaults(threads=1)  # of each worker
    args = parser.parse_args(argv)
    if args.engine == "local" and args.address:
        parser.error("--address is that of a Ray cluster, and --engine local uses none")
    return args


def _add_engine(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--engine", choices=("ray", "local"),
        help="local: processes of this machine (default: ray where it is installed)")  # fmt: skip
    add("--address", metavar="ADDRESS", help="of a Ray cluster: ray://host:10001, host:6379, auto")
    add("--workers", type=_count, metavar="N",
        help="processes, one thread each (default: one for each core)")  # fmt: skip


def _add_models(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--model", metavar="FILE", help="keypoint model, .onnx (default: the embedded one)")
    add("--detector", default="face", metavar="NAME",
        help="face, another's .onnx file, haar or none (default: %(default)s)")  # fmt: skip
    add("--precision", choices=("fp32", "int8"), default="fp32", help="default: %(default)s")
    add("--min-score", type=float, default=0.5, metavar="P",
        help="drop faces below this score, 0 to 1 (default: %(default)s)")  # fmt: skip
    add("--max-faces", type=int, metavar="N", help="keep the N largest faces (default: all)")
    add("--detect-size", type=int, default=320, metavar="PX",
        help="longer side at which faces are searched (default: %(default)s)")  # fmt: skip


def _shard(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    number, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= count:
        raise argparse.ArgumentTypeError(f"expected I/N with I from 1 to N, received {text!r}")
    return number, count


def _count(text: str) -> int:
    if not (text.isdecimal() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"expected a number from 1 on, received {text!r}")
    return int(text)
