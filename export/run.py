"""`python -m export.run RUN -o DIR`: a training run as ONNX files for `edge`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from edge.errors import EdgeError
from export.errors import ExportError

_SIZE = 96  # px, side of the pictures the networks take
_LICENSE = "research and evaluation only: trained on Kaggle competition data and research sets"


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m export.run",
        description="Convert a training run to keypoints.onnx and keypoints.int8.onnx, or a "
        "detector's to face.onnx and face.int8.onnx, and check them. Nothing is written unless "
        "every check passes.",
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="folder that python -m train.run has finished")
    add("-o", "--output", required=True, metavar="DIR", help="folder for the .onnx files")
    add("--faces", metavar="FILE.npz",
        help="the prepared faces of the run, where RUN is kept without their pictures; of a "
        "detector the prepared photos, without which there is no int8 file")  # fmt: skip
    add("--no-int8", action="store_true", help="write the fp32 file alone")
    add("--license", default=_LICENSE, metavar="TEXT",
        help="licence of the weights, written into the files (default: %(default)s)")  # fmt: skip
    return parser.parse_args(argv)


def run(folder: str, output: Path, int8: bool, license_text: str, faces: str | None = None) -> str:
    """Export, check and only then move the files to `output`; returns the report."""
    from export.compare import check_accuracy, check_parity, check_same_faces, measure, table
    from export.convert import describe, load_keras, to_onnx, write_model
    from export.quantize import quantize
    from export.source import read_detector_run, read_run

    if detector := read_detector_run(folder):
        return _export_detector(*detector, output, faces if int8 else None, license_text)
    source = read_run(folder, faces)
    metadata = describe(source, _SIZE, license_text)
    model = load_keras(source.model)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".export-") as scratch:
        full = Path(scratch) / "keypoints.onnx"
        write_model(to_onnx(model, _SIZE), metadata, full)
        difference = check_parity(model, full, source.validation)
        files, variants = [full], [measure("fp32", full, source.validation)]
        if source.prepared_anew:
            check_same_faces(variants[0], source)
        if int8:
            small = Path(scratch) / "keypoints.int8.onnx"
            write_model(quantize(full, source.calibration.faces, Path(scratch)), metadata, small)
            variants.append(measure("int8", small, source.validation))
            check_accuracy(*variants)
            files.append(small)
        # An old int8 file beside a new fp32 one would be of another network.
        (output / "keypoints.int8.onnx").unlink(missing_ok=True)
        for file in files:
            file.replace(output / file.name)
    count = len(source.validation.faces)
    parity = f"Keras and ONNX differ by at most {difference:.6f} px on {count} validation faces."
    anew = "\nThese are of a file prepared anew." if source.prepared_anew else ""
    return f"{table(variants)}\n{parity}{anew}"


def _export_detector(
    model: Path,
    sha256: str,
    record: dict[str, Any],
    output: Path,
    photos: str | None,
    license_text: str,
) -> str:
    from export.convert import load_any_keras, write_model
    from export.detector import calibrate, check_int8, check_parity, describe, to_onnx
    from export.quantize import quantize_detector
    from export.source import read_pictures

    network = load_any_keras(model)
    output.mkdir(parents=True, exist_ok=True)
    metadata = describe(record, sha256, license_text)
    with tempfile.TemporaryDirectory(dir=output, prefix=".export-") as scratch:
        full = Path(scratch) / "face.onnx"
        write_model(to_onnx(network), metadata, full)
        files, report = [full], [check_parity(network, full)]
        if photos:
            pictures = read_pictures(photos, record)
            small = Path(scratch) / "face.int8.onnx"
            ranges = calibrate(pictures[::2])
            write_model(quantize_detector(full, ranges, Path(scratch)), metadata, small)
            files.append(small)
            report.append(check_int8(full, small, pictures[1::2]))
        sizes = [f"{file.name}: {file.stat().st_size / 1024:.0f} KB" for file in files]
        (output / "face.int8.onnx").unlink(missing_ok=True)  # it would be of another network
        for file in files:
            file.replace(output / file.name)
    return "\n".join([*sizes, f"{network.count_params():,} parameters", *report])


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    try:
        report = run(args.run, Path(args.output), not args.no_int8, args.license, args.faces)
    except (ExportError, EdgeError, OSError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    print(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
