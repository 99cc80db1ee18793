"""`python -m benchmarks.run`: size, latency and accuracy of the keypoint models, side by side."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.command import report_results
from benchmarks.kaggle import measure_accuracy, read_annotated
from benchmarks.latency import measure_latency
from benchmarks.machine import describe_machine
from edge.model import EMBEDDED, KeypointModel


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run",
        description="Measure size and latency of keypoint models and, with annotated pictures, "
        "their accuracy.",
    )
    add = parser.add_argument
    add("models", nargs="*", metavar="MODEL", help=".onnx files (default: the embedded ones)")
    add("--annotated", metavar="FILE", help="table of ImageId, asked and the 30 coordinates")
    add("--images", metavar="FILE", help="Kaggle's test.csv, or its zip")
    add("--runs", type=int, default=1000, metavar="N", help="counted calls (default: %(default)s)")
    add("--threads", type=int, default=1, metavar="N", help="default: %(default)s")
    add("-o", "--output", metavar="FILE", help="where to write the results as JSON")
    args = parser.parse_args(argv)
    if (args.annotated is None) != (args.images is None):
        parser.error("--annotated and --images go together")
    if args.runs < 1 or args.threads < 1:
        parser.error("--runs and --threads must be at least 1")
    if len(set(args.models)) < len(args.models):
        parser.error("a model is named twice")
    return args


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure what the command line asks for."""
    paths = [Path(path) for path in args.models] or [EMBEDDED, EMBEDDED.with_suffix(".int8.onnx")]
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    opened = (KeypointModel(path, args.threads) for path in paths)
    models = dict(zip(names, opened, strict=True))
    faces = None
    if args.annotated:
        faces = read_annotated(Path(args.annotated), Path(args.images))
    latency = measure_latency(models, args.runs)
    rows = [
        {
            "model": name,
            "version": model.metadata["model_version"],
            "sha256_keras": model.metadata["sha256_keras"],
            "size_bytes": model.path.stat().st_size,
            "latency": asdict(latency[name]),
            "accuracy": measure_accuracy(model, faces) if faces else None,
        }
        for name, model in models.items()
    ]
    return {"machine": describe_machine(args.threads), "models": rows}


def table(results: dict[str, Any]) -> str:
    """The results as a Markdown table; an accuracy that was not measured is a dash."""
    lines = [
        "| model | size | median, one face | p95 | RMSE, asked > 8 | RMSE, asked = 8 |",
        "|---|---|---|---|---|---|",
    ]
    for row in results["models"]:
        latency, accuracy = row["latency"], row["accuracy"] or {}
        errors = [
            f"{accuracy[name]['rmse_px']:.2f} px" if name in accuracy else "–"
            for name in ("asked > 8", "asked = 8")
        ]
        mark = " (shaky)" if latency["shaky"] else ""
        lines.append(
            f"| {row['model']} | {row['size_bytes'] / 1e6:.2f} MB | {latency['median_ms']:.2f} ms"
            f"{mark} | {latency['p95_ms']:.2f} ms | {errors[0]} | {errors[1]} |"
        )
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    return report_results(
        lambda: run(args),
        table,
        Path(args.output) if args.output else None,
        lambda key: f"no {key} in the annotated pictures",
    )


if __name__ == "__main__":
    sys.exit(main())
