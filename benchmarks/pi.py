"""`python -m benchmarks.pi [DATA]`: the wheel on a Raspberry Pi's processor, without a Pi.

A Debian tree for arm64 gets the wheels that a Pi's owner would get (`benchmarks.arm.rootfs`), and
`edge` looks at the sample and at 20 of helen's photos there under QEMU (`benchmarks.arm.qemu`), and
with older versions of onnxruntime at the sample. Seen is whether it runs at all, how far its
keypoints lie from this machine's, and what it takes in memory and on disk. Time under emulation is
no Pi's and not taken.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.arm.cpu_features import has_dot_product
from benchmarks.arm.instruction_count import count_instructions
from benchmarks.arm.qemu import BOARDS, Board, Ended, emulate, emulator_version, run_measured
from benchmarks.arm.rootfs import (
    PYTHON_VERSION,
    build_wheel,
    install,
    installed_versions,
    make_tree,
    measure_footprint,
)
from benchmarks.arm.tables import PRECISIONS, failures, table
from benchmarks.evaluation.agreement import compare
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.minimum_versions import PACKAGES, ROOT, lowest
from edge.errors import SourceError

SAMPLE = ROOT / "edge" / "data" / "astronaut.jpg"
_PHOTOS = 20
_NEWEST = "newest"
_NOT_COUNTED = "not counted: the last version does not run on every board"
# Besides the oldest supported and the newest: 1.21 and 1.23 did not start on owners' Pi 4.
_BETWEEN = ("1.21.0", "1.23.0", "1.31.1")


def run(data: Path | None, folder: Path, versions: Sequence[str]) -> dict[str, Any]:
    """Everything.

    Args:
        data: folder with helen/images/, or None for the sample alone.
        folder: where tree and wheels are made, and kept.
        versions: of onnxruntime, or "newest". The last looks at everything, the others, which show
            whether they run at all, at the sample.

    Returns:
        The results, for `benchmarks.arm.tables` and `json`.

    Raises:
        OSError: a tool is missing, or a tree or wheel cannot be had.
        ValueError: two runs are of different pictures.
    """
    photos, version = find_photos(data), emulator_version()
    tree, wheel = make_tree(folder), build_wheel(folder)
    results: dict[str, Any] = {
        "machine": describe_machine(threads=1),
        "emulator": version,
        "dot_product": {board.processor: has_dot_product(board, tree) for board in BOARDS},
        "versions": [],
    }
    for asked in versions:
        site = install(folder / f"site-{asked}", requirements(asked), wheel)
        pictures = [SAMPLE, *(photos if asked == versions[-1] else [])]
        here = {precision: _look_here(pictures, precision) for precision in PRECISIONS}
        results["versions"].append(
            {
                **{name: installed_versions(site)[name] for name in PACKAGES},
                "pictures": len(pictures),
                "footprint_mb": measure_footprint(site),
                "here": {
                    "peak_mb": {precision: ended.peak_mb for precision, ended in here.items()},
                    "int8_from_fp32_rms_px": _from_fp32(here, here["int8"]),
                },
                "runs": [
                    _look_there(board, tree, site, pictures, precision, here)
                    for board in BOARDS
                    for precision in PRECISIONS
                ],
            }
        )
    runs = results["versions"][-1]["runs"]
    fine = all(row["ended"] == "runs" for row in runs)
    results["instructions"] = count_instructions(folder, tree, site) if fine else _NOT_COUNTED
    return results


def find_photos(data: Path | None) -> list[Path]:
    """The first 20 of helen's photos, by name.

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
    """What pip installs for one version of onnxruntime; for the oldest, the oldest of all."""
    oldest = lowest(PYTHON_VERSION)
    if version == oldest["onnxruntime"]:
        return [f"{name}=={oldest[name]}" for name in PACKAGES]
    return ["numpy", "pillow", "onnxruntime" if version == _NEWEST else f"onnxruntime=={version}"]


def _look_here(pictures: Sequence[Path], precision: str) -> Ended:
    with tempfile.TemporaryDirectory() as folder:
        ended = run_measured(
            [sys.executable, *_arguments(pictures, precision)],
            {"PYTHONPATH": str(ROOT)},
            Path(folder),
        )
    if ended.status:
        raise OSError(f"edge does not run on this machine: {ended.verdict}")
    return ended


def _look_there(
    board: Board,
    tree: Path,
    site: Path,
    pictures: Sequence[Path],
    precision: str,
    here: Mapping[str, Ended],
) -> dict[str, Any]:
    ended = emulate(board, tree, _arguments(pictures, precision), site)
    row = {
        "processor": board.processor,
        "precision": precision,
        "ended": ended.verdict,
        "peak_mb": ended.peak_mb,
    }
    if ended.status:
        return row
    seen = asdict(compare(here[precision].output, ended.output))
    return {**row, **seen, "from_fp32_rms_px": _from_fp32(here, ended)}


def _from_fp32(here: Mapping[str, Ended], ended: Ended) -> float:
    """How far a run's keypoints lie from this machine's in fp32, px, root mean square."""
    return compare(here["fp32"].output, ended.output).rms_px


def _arguments(pictures: Sequence[Path], precision: str) -> list[str]:
    return ["-m", "edge.run", *map(str, pictures), "--precision", precision, "--json", "-",
            "--no-picture"]  # fmt: skip


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pi",
        description="Run edge on a Raspberry Pi's processor under QEMU, and compare with this one.",
    )
    add = parser.add_argument
    add("data", nargs="?", metavar="DATA", type=Path,
        help="folder with helen/images/ (default: the sample alone)")  # fmt: skip
    add("--work", metavar="FOLDER", type=Path, default=Path("runs/pi"),
        help="where tree and wheels are made, and kept (default: %(default)s)")  # fmt: skip
    add("--onnxruntime", nargs="+", metavar="VERSION",
        default=[lowest(PYTHON_VERSION)["onnxruntime"], *_BETWEEN, _NEWEST],
        help="versions to try (default: %(default)s)")  # fmt: skip
    add("-o", "--output", metavar="FILE", type=Path, help="results as JSON")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status, 1 also where a result is not as it must be."""
    args = parse_args(argv)
    return report_results(
        lambda: run(args.data, args.work.absolute(), args.onnxruntime),
        table, args.output, failures=failures,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
