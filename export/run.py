"""`python -m export.run RUN -o DIR`: convert a training run to ONNX files for `edge`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.streams import make_streams_readable
from edge.errors import EdgeError
from edge.extras import describe_missing
from export.errors import ExportError

if TYPE_CHECKING:
    import onnx

    from export.networks import ExportableNetwork

_LICENSE = "research and evaluation only: trained on Kaggle competition data and research sets"


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 on usage errors."""
    parser = argparse.ArgumentParser(
        prog="python -m export.run",
        description="Convert a training run to keypoints.onnx and keypoints.int8.onnx (of the "
        "recipe keypoints-small to keypoints-small.onnx and keypoints-small.int8.onnx), or a "
        "detector's to face.onnx and face.int8.onnx, and check them. Nothing is written unless "
        "every check passes.",
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="folder of a finished run of python -m train.run")
    add("-o", "--output", required=True, metavar="DIR", help="folder for the .onnx files")
    add("--faces", metavar="FILE.npz",
        help="the prepared faces of the run, if RUN is kept without images; for a detector the "
        "prepared photos, which the int8 file requires")  # fmt: skip
    add("--no-int8", action="store_true", help="write only the fp32 file")
    add("--license", default=_LICENSE, metavar="TEXT",
        help="licence of the weights, written into the files (default: %(default)s)")  # fmt: skip
    return parser.parse_args(argv)


def run(
    folder: str, output: Path, int8: bool, license_text: str, prepared: str | None = None
) -> str:
    """Convert, quantise and check a run, and only then move the files to `output`.

    Args:
        folder: of a finished run.
        output: folder for the files; created if missing.
        int8: whether to write an int8 file too.
        license_text: licence of the weights.
        prepared: the prepared faces or photos of the run (`.npz`), if needed.

    Returns:
        A report of sizes and checks, as text.

    Raises:
        ExportError: the run cannot be read or converted, or a check fails.
    """
    from export.networks import open_network

    network = open_network(folder, prepared, license_text)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".export-") as scratch:
        files, report = _export(network, Path(scratch), int8 and network.can_quantize)
        # An old int8 file would belong to another network than the new fp32 one.
        (output / f"{network.name}.int8.onnx").unlink(missing_ok=True)
        for file in files:
            file.replace(output / file.name)
    return report


def _export(network: ExportableNetwork, folder: Path, int8: bool) -> tuple[list[Path], str]:
    """Write and check the files in `folder`; returns them and the report."""
    import onnx

    from export.metadata import write_model

    def write(model: onnx.ModelProto, path: Path) -> None:
        write_model(network.finish(model), network.metadata, path)

    fp32_path, unfinished = folder / f"{network.name}.onnx", folder / "unfinished.onnx"
    fp32 = network.convert()
    onnx.save(fp32, unfinished)
    write(fp32, fp32_path)
    report = network.check_fp32(fp32_path)
    if not int8:
        return [fp32_path], report
    int8_path = folder / f"{network.name}.int8.onnx"
    write(network.quantize(unfinished, folder), int8_path)
    return [fp32_path, int8_path], f"{report}\n{network.check_int8(fp32_path, int8_path)}"


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    make_streams_readable()
    args = parse_args(argv)
    try:
        report = run(args.run, Path(args.output), not args.no_int8, args.license, args.faces)
    except (ExportError, EdgeError, OSError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"export: {describe_missing(error, 'export')}", file=sys.stderr)
        return 1
    print(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
