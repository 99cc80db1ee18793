"""`python -m benchmarks.pi [DATA]`: this package on an emulated Raspberry Pi processor.

A Debian root file system for arm64 gets the wheels that pip would install on a Pi
(`benchmarks.arm.rootfs`). Under QEMU (`benchmarks.arm.qemu`), `edge` runs on the sample and on 20
of helen's photos with the last version of onnxruntime, and on the sample with older ones. Reported
are whether it runs, the distance of its keypoints from this machine's, memory, disk space and the
number of instructions, which `--compare` guards: it is the same on every machine. Time under
emulation is not representative and is not measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.arm.cpu_features import has_dot_product
from benchmarks.arm.instruction_count import count_instructions, exceeding
from benchmarks.arm.qemu import BOARDS, Board, emulate, emulator_version
from benchmarks.arm.rootfs import (
    PYTHON_VERSION,
    install,
    installed_versions,
    make_rootfs,
    measure_footprint,
)
from benchmarks.arm.tables import PRECISIONS, failures, instruction_table, table
from benchmarks.datasets.sample import SAMPLE
from benchmarks.evaluation.agreement import compare
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.minimum_versions import PACKAGES, minimum_versions
from benchmarks.harness.processes import ProcessResult, run_measured
from benchmarks.harness.project import ROOT, build_wheel
from edge.errors import SourceError

_PHOTOS = 20
_NEWEST = "newest"
_NOT_COUNTED = "not counted: the last version does not run on every board"
# Besides the oldest supported and the newest: 1.21 and 1.23 were reported not to start on a Pi 4.
_BETWEEN = ("1.21.0", "1.23.0", "1.31.1")


@dataclass(frozen=True, slots=True)
class Installation:
    """Packages for the emulated processor, and the images to run on.

    Attributes:
        rootfs: the root file system.
        site: folder of packages.
        images: image files.
    """

    rootfs: Path
    site: Path
    images: Sequence[Path]

    def run(self, board: Board, native: Mapping[str, ProcessResult]) -> list[dict[str, Any]]:
        """Run on one board in each precision; rows of the results."""
        return [self._row(board, precision, native) for precision in PRECISIONS]

    def _row(
        self, board: Board, precision: str, native: Mapping[str, ProcessResult]
    ) -> dict[str, Any]:
        arguments = edge_arguments(self.images, precision)
        result = emulate(board, self.rootfs, arguments, self.site)
        row = {
            "processor": board.processor,
            "precision": precision,
            "ended": result.outcome,
            "peak_mb": result.peak_mb,
        }
        if result.status:
            return row
        agreement = asdict(compare(native[precision].output, result.output))
        return {**row, **agreement, "from_fp32_rms_px": _from_fp32(native, result)}


def run(data: Path | None, folder: Path, versions: Sequence[str]) -> dict[str, Any]:
    """Run every version on both boards.

    Args:
        data: folder with helen/images/, or None for the sample alone.
        folder: receives the root file system and wheels, which are kept.
        versions: of onnxruntime, or "newest". The last runs on all images, the others on the
            sample.

    Returns:
        The results, for `benchmarks.arm.tables` and JSON.

    Raises:
        OSError: a tool is missing, or a download failed.
        ValueError: two runs are over different images.
    """
    photos = find_photos(data)
    emulator = emulator_version()
    rootfs, wheel = make_rootfs(folder), build_wheel(folder)
    dot_product = {board.processor: has_dot_product(board, rootfs) for board in BOARDS}
    rows = []
    for version in versions:
        site = install(folder / f"site-{version}", requirements(version), wheel)
        images = [SAMPLE, *(photos if version == versions[-1] else [])]
        rows.append(run_version(Installation(rootfs, site, images)))
    runs_everywhere = all(row["ended"] == "runs" for row in rows[-1]["runs"])
    return {
        "machine": describe_machine(threads=1),
        "emulator": emulator,
        "dot_product": dot_product,
        "versions": rows,
        "instructions": (
            count_instructions(folder, rootfs, site) if runs_everywhere else _NOT_COUNTED
        ),
    }


def count_again(kept: Path, folder: Path) -> dict[str, Any]:
    """Count instructions with the versions of earlier results.

    Args:
        kept: results of `run` as JSON.
        folder: as for `run`.

    Returns:
        `instructions` as `run` has them, and `exceeding`, a line for each that has grown.

    Raises:
        OSError: as `run`, or the file cannot be read, or nothing can be counted.
        ValueError, KeyError: the file has no such results.
    """
    before = json.loads(kept.read_text("utf-8"))
    versions = before["versions"][-1]
    rootfs, wheel = make_rootfs(folder), build_wheel(folder)
    pinned = [f"{name}=={versions[name]}" for name in PACKAGES]
    counts = count_instructions(folder, rootfs, install(folder / "site-kept", pinned, wheel))
    if isinstance(counts, str):
        raise OSError(counts)
    return {"instructions": counts, "exceeding": exceeding(counts, before["instructions"])}


def run_version(installation: Installation) -> dict[str, Any]:
    """Run one version on this machine and on both boards."""
    native = {name: run_native(installation.images, name) for name in PRECISIONS}
    versions = installed_versions(installation.site)
    return {
        **{name: versions[name] for name in PACKAGES},
        "pictures": len(installation.images),
        "footprint_mb": measure_footprint(installation.site),
        "here": {
            "peak_mb": {precision: result.peak_mb for precision, result in native.items()},
            "int8_from_fp32_rms_px": _from_fp32(native, native["int8"]),
        },
        "runs": [row for board in BOARDS for row in installation.run(board, native)],
    }


def find_photos(data: Path | None) -> list[Path]:
    """The first 20 of helen's photos, sorted by name.

    Raises:
        SourceError: there are none.
    """
    if data is None:
        return []
    photos = sorted((data / "helen" / "images").glob("*.jpg"))[:_PHOTOS]
    if not photos:
        raise SourceError(f"{data}: expected photos in helen/images/, found none")
    return [photo.resolve() for photo in photos]


def requirements(version: str) -> list[str]:
    """Requirements of pip for a version of onnxruntime; with the minimum one, all minimum ones."""
    minimum = minimum_versions(PYTHON_VERSION)
    if version == minimum["onnxruntime"]:
        return [f"{name}=={minimum[name]}" for name in PACKAGES]
    return ["numpy", "pillow", "onnxruntime" if version == _NEWEST else f"onnxruntime=={version}"]


def run_native(images: Sequence[Path], precision: str) -> ProcessResult:
    """Run `edge` on this machine.

    Raises:
        OSError: it failed.
    """
    command = [sys.executable, *edge_arguments(images, precision)]
    with tempfile.TemporaryDirectory() as folder:
        result = run_measured(command, {"PYTHONPATH": str(ROOT)}, Path(folder))
    if result.status:
        raise OSError(f"edge does not run on this machine: {result.outcome}")
    return result


def edge_arguments(images: Sequence[Path], precision: str) -> list[str]:
    """Arguments of Python that run `edge` on images and write JSON to standard output."""
    return ["-m", "edge.run", *map(str, images), "--precision", precision, "--json", "-",
            "--no-picture"]  # fmt: skip


def _from_fp32(native: Mapping[str, ProcessResult], result: ProcessResult) -> float:
    """Distance of keypoints from this machine's in fp32, root mean square, px."""
    return compare(native["fp32"].output, result.output).rms_px


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pi",
        description="Run edge on an emulated Raspberry Pi processor and compare with this machine.",
    )
    add = parser.add_argument
    add("data", nargs="?", metavar="DATA", type=Path,
        help="folder with helen/images/ (default: the sample alone)")  # fmt: skip
    add("--work", metavar="FOLDER", type=Path, default=Path("runs/pi"),
        help="folder for the root file system and wheels, kept (default: %(default)s)")  # fmt: skip
    add("--onnxruntime", nargs="+", metavar="VERSION",
        default=[minimum_versions(PYTHON_VERSION)["onnxruntime"], *_BETWEEN, _NEWEST],
        help="versions to run (default: %(default)s)")  # fmt: skip
    add("--compare", metavar="FILE", type=Path,
        help="only count instructions, with the versions of these earlier results, and exit with "
        "status 1 if a count is more than 3 %% higher")  # fmt: skip
    add("-o", "--output", metavar="FILE", type=Path, help="write the results as JSON")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status, 1 also where a requirement is not met."""
    args = parse_args(argv)
    if args.compare:
        return report_results(
            lambda: count_again(args.compare, args.work.absolute()),
            instruction_table, args.output, failures=lambda results: results["exceeding"],
        )  # fmt: skip
    return report_results(
        lambda: run(args.data, args.work.absolute(), args.onnxruntime),
        table, args.output, failures=failures,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
