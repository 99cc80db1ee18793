"""`python -m benchmarks.engines DATA`: the embedded networks in other engines.

Each engine is installed in a virtual environment of its own and runs the embedded `.onnx` files,
converted where it needs that, on 100 crops of Kaggle's test set and 100 photos of HELEN. Its
answers are compared with onnxruntime's, and its time is measured in alternation with it, on one
core.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engines.environments import ENGINES, Engine, find_installed, install, versions
from benchmarks.engines.networks import IMAGES, Network, prepare_networks, write_images
from benchmarks.engines.parity import compare_boxes, compare_keypoints, make_boxes, read_boxes
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.processes import run_measured
from benchmarks.reporting.markdown import header, row

_WORKER = Path(__file__).with_name("worker.py")
_ROUNDS = 3  # timed passes over the images
_MAX_PX = 0.05  # of a keypoint of an fp32 network, where an engine claims to compute the same
_ROUNDED = ENGINES["openvino_default"].name  # does not claim to
_QUIET = {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}


def run(data: Path, folder: Path, names: Sequence[str], reuse: bool = False) -> dict[str, Any]:
    """Measure all networks in the engines with these names.

    Args:
        data: folder with `kaggle/test.zip` and `helen/`.
        folder: receives the environments and converted files.
        names: keys of `ENGINES`.
        reuse: take the environments that an earlier run left there.

    Raises:
        EdgeError, OSError, KeyError, ValueError: the data cannot be read.
    """
    files = folder / "files"
    files.mkdir(parents=True, exist_ok=True)
    images, networks = write_images(data, files), prepare_networks(files)
    engines = [measure_engine(name, folder, images, networks, reuse) for name in names]
    return {"machine": describe_machine(threads=1), "images": IMAGES, "engines": engines}


def measure_engine(
    name: str, folder: Path, images: dict[str, Path], networks: list[Network], reuse: bool = False
) -> dict[str, Any]:
    """Install an engine and run all networks; a failure is in its `failure`."""
    engine: Engine = ENGINES[name]
    try:
        python = find_installed(folder / name) if reuse else None
        python = python or install(engine, folder / name)
    except OSError as error:
        return {"engine": engine.name, "versions": {}, "failure": str(error), "networks": []}
    rows = [
        measure_network(name, python, network, images[network.input], folder / "work")
        for network in networks
        if network.keras or not engine.takes_keras
    ]
    found = versions(python, [*engine.packages, *engine.bare])
    return {"engine": engine.name, "versions": found, "failure": None, "networks": rows}


def measure_network(
    name: str, python: Path, network: Network, images: Path, work: Path
) -> dict[str, Any]:
    """Run a network in an engine, in a process of its own; converters and engines may crash."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    job = {
        "engine": name, "network": asdict(network), "inputs": str(images),
        "output": str(work / "answers.npz"), "folder": str(work), "rounds": _ROUNDS,
    }  # fmt: skip
    result = run_measured([str(python), "-I", str(_WORKER), json.dumps(job)], _QUIET, work)
    row_ = {"network": network.name}
    if result.status:
        return {**row_, "failure": re.sub(r"^\w+(Error|Exception)?: ", "", result.outcome)}
    times_ms = json.loads(result.output.splitlines()[-1])
    ours, theirs = (float(np.median(times_ms[key])) for key in ("onnxruntime_ms", "ms"))
    return {
        **row_,
        "failure": None,
        "ms": round(theirs, 4),
        "onnxruntime_ms": round(ours, 4),
        "time_ratio": round(theirs / ours, 3),
        **_compare(network, work / "answers.npz", np.load(images)),
    }


def _compare(network: Network, path: Path, images: Any) -> dict[str, float]:
    with np.load(path) as file:
        answers = dict(file)
    if network.input == "face":
        return compare_keypoints(answers, len(images))
    both = (
        read_boxes(answers, who, images)
        if network.boxes is None
        else make_boxes(answers, who, images, network.outputs[0], network.boxes)
        for who in ("onnxruntime", "engine")
    )
    return compare_boxes(*both)


def table(results: dict[str, Any]) -> str:
    """The results as a Markdown table."""
    lines = header("engine", "network", "difference from onnxruntime", "time, onnxruntime = 1")
    for engine in results["engines"]:
        title = " ".join([engine["engine"], *[*engine["versions"].values()][:1]])
        if engine["failure"]:
            lines.append(row(title, "–", engine["failure"], "–"))
        for network in engine["networks"]:
            name = f"`{network['network']}`".replace(", to the cells`", "`, to the cells")
            if network["failure"]:
                lines.append(row(title, name, f"does not run: {network['failure']}", "–"))
            else:
                lines.append(row(title, name, _difference(network), f"{network['time_ratio']:.2f}"))
    return "\n".join(lines)


def _difference(network: dict[str, Any]) -> str:
    if not network.get("found", 1):
        return f"none of {network['faces']} faces, {network['extra']} others"
    px = "< 0.01 px" if network["max_px"] < 0.01 else f"{network['max_px']:.2f} px"
    if "faces" not in network:
        return f"keypoints at most {px}, mean {network['mean_px']:.3f} px"
    others = f", {network['extra']} others" if network["extra"] else ""
    return f"{network['found']} of {network['faces']} faces{others}, boxes at most {px}"


def failures(results: dict[str, Any]) -> list[str]:
    """A line for each fp32 keypoint network that runs and answers otherwise."""
    return [
        f"{engine['engine']}, {network['network']}: keypoints differ by {network['max_px']} px"
        for engine in results["engines"]
        for network in engine["networks"]
        if engine["engine"] != _ROUNDED
        and network["network"] == "keypoints.onnx"
        and network.get("max_px", 0) > _MAX_PX
    ]


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.engines",
        description="Run the embedded networks in other engines and compare with onnxruntime.",
    )
    add = parser.add_argument
    add("data", metavar="DATA", type=Path, help="folder with kaggle/ and helen/")
    add("--engine", nargs="+", choices=ENGINES, default=list(ENGINES), metavar="ENGINE",
        dest="engines", help="engines (default: %(default)s)")  # fmt: skip
    add("--work", metavar="FOLDER", type=Path, default=Path("runs/engines"),
        help="folder for the environments, about 4 GB (default: %(default)s)")  # fmt: skip
    add("--reuse", action="store_true", help="use the environments that are in that folder")
    add("-o", "--output", metavar="FILE", type=Path, help="write the results as JSON")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status, 1 also where a keypoint network differs."""
    args = parse_args(argv)
    return report_results(
        lambda: run(args.data, args.work.absolute(), args.engines, args.reuse),
        table,
        args.output,
        failures=failures,
    )


if __name__ == "__main__":
    sys.exit(main())
