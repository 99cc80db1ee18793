"""`python -m benchmarks.bulk`: throughput and fault tolerance of `edge.bulk`, local and on Ray.

A synthetic archive is processed by one process, by two processes, and by a Ray cluster of two nodes
with one core each on this machine. Each of the latter two is repeated with a worker killed, then
the run itself killed and resumed. The benchmark fails if the rows of a run are not identical to
those of the first, or if the counts do not add up. The cost of large archives is extrapolated from
the stages of one photo.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bulk_jobs.cost_model import extrapolate, measure_stages
from benchmarks.bulk_jobs.fault_injection import (
    BulkCommand,
    kill_and_resume,
    read_rows,
    two_node_cluster,
)
from benchmarks.datasets.synthetic_archive import make_archive
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine

_LOCAL = ("--engine", "local", "--workers", "2")
_SINGLE = ("--engine", "local", "--workers", "1")


def run(photos: int, partition: int, data: Path | None) -> dict[str, Any]:
    """Run the whole benchmark.

    Args:
        photos: number of photos in the archive.
        partition: photos per partition.
        data: a folder of photos that the archive is cropped from; None for the sample.

    Returns:
        The results, as written to JSON.

    Raises:
        OSError: the archive cannot be written, or a process cannot be started.
        ValueError: rows differ or are missing, or a run ended with an unexpected status.
    """
    load = round(os.getloadavg()[0], 1)  # of other processes: above 0, the times are too long
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        bad = make_archive(folder / "archive", photos, data)
        comparison = Comparison(folder, photos, bad, partition)
        runs = _run_all(comparison)
        stages = measure_stages(folder)
        result_bytes = comparison.result_bytes()
    return {
        "machine": {**describe_machine(threads=1), "load_before": load},
        "archive": {"photos": photos, "no_good": bad, "partition": partition},
        "runs": runs,
        "stages": stages,
        "result_bytes_a_photo": result_bytes,
        "costs": extrapolate(stages, result_bytes),
    }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs over one archive, whose rows must be identical to those of the first.

    Attributes:
        folder: holds the archive, and receives the output of each run.
        photos: number of files in the archive.
        bad: how many of them are no valid images.
        partition: photos per partition.
    """

    folder: Path
    photos: int
    bad: int
    partition: int

    def measure(self, name: str, options: Sequence[str]) -> dict[str, Any]:
        """Time an undisturbed run into the folder `name`."""
        output = self.folder / name
        finished = BulkCommand(self._arguments(options), output, self.folder).wait()
        if finished.status != int(self.bad > 0):
            raise ValueError(f"{name}: ended with status {finished.status}: {finished.stderr}")
        return {
            **self._compare(output, finished.stderr),
            "seconds": round(finished.seconds, 1),
            "photos_a_second": round(self.photos / finished.seconds, 2),
            "peak_mb": round(finished.peak_mb),
        }

    def inject_faults(self, name: str, options: Sequence[str]) -> dict[str, Any]:
        """Check a run whose worker is killed, and which is then killed itself and resumed."""
        output = self.folder / name
        partitions = -(-self.photos // self.partition)
        outcome = kill_and_resume(self._arguments(options), output, self.folder, partitions)
        return {
            **self._compare(output, outcome.resumed.stderr),
            "partitions_finished_when_killed": outcome.finished,
            "partitions": partitions,
        }

    def result_bytes(self) -> float:
        """Size of the first run's partitions, bytes per photo."""
        size = sum(path.stat().st_size for path in (self.folder / "one").glob("part-*"))
        return round(size / self.photos, 1)

    def _arguments(self, options: Sequence[str]) -> list[str]:
        return ["archive", "--partition", str(self.partition), *options]

    def _compare(self, output: Path, stderr: str) -> dict[str, Any]:
        rows = read_rows(output)
        images = {image.as_py() for image in rows.column("image")}
        statuses = Counter(rows.column("status").to_pylist())
        if len(images) != self.photos or statuses["failed"] != self.bad:
            raise ValueError(f"{output.name}: {len(images)} photos, {dict(statuses)}: {stderr}")
        if not rows.equals(read_rows(self.folder / "one")):
            raise ValueError(f"{output.name}: rows differ from those of one process")
        return {"rows": rows.num_rows, "faces": statuses["face"], "same_rows": True}


def _run_all(comparison: Comparison) -> dict[str, dict[str, Any]]:
    runs = {
        "one_process": comparison.measure("one", _SINGLE),
        "local": comparison.measure("local", _LOCAL),
        "local_broken": comparison.inject_faults("local-broken", _LOCAL),
    }
    with two_node_cluster() as address:
        on_cluster = ("--address", address)
        runs["ray"] = comparison.measure("ray", on_cluster)
        runs["ray_broken"] = comparison.inject_faults("ray-broken", on_cluster)
    return runs


def table(results: dict[str, Any]) -> str:
    """All results as Markdown tables."""
    return f"{run_table(results)}\n\n{cost_table(results)}"


def run_table(results: dict[str, Any]) -> str:
    """The runs as a Markdown table."""
    names = {"one_process": "one process", "local": "`--engine local`", "ray": "`--engine ray`"}
    lines = ["| run | photos/s | peak memory | rows |", "|---|---|---|---|"]
    for key, name in names.items():
        measured = results["runs"][key]
        lines.append(
            f"| {name} | {measured['photos_a_second']:.0f} | {measured['peak_mb']:,} MB | "
            f"{measured['rows']:,} |"
        )
    for key in ("local", "ray"):
        broken = results["runs"][f"{key}_broken"]
        finished = broken["partitions_finished_when_killed"]
        lines.append(
            f"| `{key}`: one worker killed, then the run killed at {finished} of "
            f"{broken['partitions']} partitions and resumed | | | {broken['rows']:,}, identical |"
        )
    return "\n".join(lines)


def cost_table(results: dict[str, Any]) -> str:
    """The cost of archives as a Markdown table."""
    lines = [
        "| photo | fetch | decode | inference | write | photos per core-hour | 1 million photos | "
        "1 billion photos | cores per 10 Gbit/s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for stage, cost in zip(results["stages"], results["costs"], strict=True):
        times = (f"{stage[f'{n}_ms']:.1f} ms" for n in ("fetch", "decode", "look", "write"))
        archives = (
            f"{archive['core_hours']:,.0f} core-hours, {archive['read_tb']:,.1f} TB read"
            for archive in cost["many"]
        )
        lines.append(
            f"| {stage['megapixels']:g} Mpx, {stage['photo_bytes'] / 1e6:.1f} MB | "
            f"{' | '.join(times)} | {cost['photos_a_core_hour']:,.0f} | {' | '.join(archives)} | "
            f"{cost['link_cores']:,.0f} |"
        )
    million, billion = (archive["results_gb"] for archive in results["costs"][0]["many"])
    lines.append(
        f"\nThe results take {results['result_bytes_a_photo']:.0f} bytes per photo of the archive "
        f"above: {million:.1f} GB for a million photos, {billion:.0f} GB for a billion."
    )
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bulk",
        description="Measure edge.bulk, local and on Ray, and check it with injected faults.",
    )
    add = parser.add_argument
    add("--photos", type=int, default=5000, metavar="N",
        help="photos in the archive (default: %(default)s)")  # fmt: skip
    add("--partition", type=int, default=100, metavar="N",
        help="photos per partition (default: %(default)s)")  # fmt: skip
    add("--data", type=Path, metavar="DIR", help="photos to crop from (default: the sample)")
    add("-o", "--output", metavar="FILE", type=Path, help="results as JSON")
    args = parser.parse_args(argv)
    return report_results(lambda: run(args.photos, args.partition, args.data), table, args.output)


if __name__ == "__main__":
    sys.exit(main())
