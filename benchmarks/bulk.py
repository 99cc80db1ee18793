"""`python -m benchmarks.bulk`: the same archive by one process, by all cores, and by Ray.

A made archive goes through one process, through one for each of two cores, and through a Ray
cluster of two nodes with a core each, on this machine. Then a worker is killed in the middle, then
the run itself, and it is resumed. The rows must be the same each time, one after another, and the
counts add up; where they do not, the benchmark fails. What many photos cost is worked out from the
stages of one.
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

from benchmarks.bulk_jobs.cost_model import costs, measure_stages
from benchmarks.bulk_jobs.fault_injection import BulkCommand, break_and_resume, read_rows, two_nodes
from benchmarks.datasets.synthetic_archive import make_archive
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine

_WORKERS = 2


def run(photos: int, partition: int, data: Path | None) -> dict[str, Any]:
    """All of it.

    Args:
        photos: in the archive.
        partition: photos in one.
        data: a folder of photos that the archive is cut from, or None for the sample.

    Raises:
        OSError: an archive cannot be made or a process not started.
        ValueError: rows differ, are missing, or a run ended otherwise than it should.
    """
    load = round(os.getloadavg()[0], 1)  # of others: above 0 the times are too long
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        bad = make_archive(folder / "archive", photos, data)
        check = Check(folder, photos, bad, partition)
        runs = {"one_process": check.whole("one", ["--engine", "local", "--workers", "1"])}
        local = ["--engine", "local", "--workers", str(_WORKERS)]
        runs["local"] = check.whole("local", local)
        runs["local_broken"] = check.broken("local-broken", local)
        with two_nodes() as address:
            ray = ["--address", address]
            runs["ray"] = check.whole("ray", ray)
            runs["ray_broken"] = check.broken("ray-broken", ray)
        stages = measure_stages(folder)
        result_bytes = check.result_bytes()
    return {
        "machine": {**describe_machine(threads=1), "load_before": load},
        "archive": {"photos": photos, "no_good": bad, "partition": partition},
        "runs": runs,
        "stages": stages,
        "result_bytes_a_photo": result_bytes,
        "costs": costs(stages, result_bytes),
    }


@dataclass(frozen=True, slots=True)
class Check:
    """Runs over one archive, whose rows must be those of the first."""

    folder: Path
    photos: int
    bad: int
    partition: int

    def whole(self, name: str, how: Sequence[str]) -> dict[str, Any]:
        """A run from beginning to end."""
        output = self.folder / name
        watched = BulkCommand(self._arguments(how), output, self.folder).end()
        return {
            **self._compare(output, watched.status, watched.said),
            "seconds": round(watched.seconds, 1),
            "photos_a_second": round(self.photos / watched.seconds, 2),
            "peak_mb": round(watched.peak_mb),
        }

    def broken(self, name: str, how: Sequence[str]) -> dict[str, Any]:
        """A run in which a worker is killed, which then is killed and resumed."""
        output, partitions = self.folder / name, -(-self.photos // self.partition)
        told = break_and_resume(self._arguments(how), output, self.folder, partitions)
        resumed = told.pop("resumed")
        return {**self._compare(output, None, resumed.said), **told, "partitions": partitions}

    def result_bytes(self) -> float:
        """Of the first run's partitions, a photo."""
        size = sum(path.stat().st_size for path in (self.folder / "one").glob("part-*"))
        return round(size / self.photos, 1)

    def _arguments(self, how: Sequence[str]) -> list[str]:
        return ["archive", "--partition", str(self.partition), *how]

    def _compare(self, output: Path, status: int | None, said: str) -> dict[str, Any]:
        if status not in (None, int(self.bad > 0)):
            raise ValueError(f"{output.name}: ended with status {status}: {said}")
        rows = read_rows(output)
        images = {image.as_py() for image in rows.column("image")}
        statuses = Counter(rows.column("status").to_pylist())
        if len(images) != self.photos or statuses["failed"] != self.bad:
            raise ValueError(f"{output.name}: {len(images)} photos, {dict(statuses)}: {said}")
        if not rows.equals(read_rows(self.folder / "one")):
            raise ValueError(f"{output.name}: rows differ from those of one process")
        return {"rows": rows.num_rows, "faces": statuses["face"], "same_rows": True}


def table(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    return f"{run_table(results)}\n\n{cost_table(results)}"


def run_table(results: dict[str, Any]) -> str:
    """The runs as Markdown."""
    names = {"one_process": "one process", "local": "`--engine local`", "ray": "`--engine ray`"}
    lines = ["| run | photos a second | memory at most | rows |", "|---|---|---|---|"]
    for key, name in names.items():
        one = results["runs"][key]
        lines.append(
            f"| {name} | {one['photos_a_second']:.0f} | {one['peak_mb']:,} MB | {one['rows']:,} |"
        )
    for key in ("local", "ray"):
        one = results["runs"][f"{key}_broken"]
        lines.append(
            f"| `{key}`: worker killed, then the run at {one['partitions_finished_when_killed']} "
            f"of {one['partitions']} partitions, resumed | | | the same {one['rows']:,} |"
        )
    return "\n".join(lines)


def cost_table(results: dict[str, Any]) -> str:
    """What photos cost, as Markdown."""
    lines = [
        "| photo | fetch | decode | look | write | photos a core-hour | a million | a billion | "
        "10 Gbit/s feeds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for stage, cost in zip(results["stages"], results["costs"], strict=True):
        parts = (f"{stage[f'{n}_ms']:.1f} ms" for n in ("fetch", "decode", "look", "write"))
        many = (
            f"{one['core_hours']:,.0f} core-hours, {one['read_tb']:,.1f} TB read"
            for one in cost["many"]
        )
        lines.append(
            f"| {stage['megapixels']:g} Mpx, {stage['photo_bytes'] / 1e6:.1f} MB | "
            f"{' | '.join(parts)} | {cost['photos_a_core_hour']:,.0f} | {' | '.join(many)} | "
            f"{cost['link_cores']:,.0f} cores |"
        )
    million, billion = (one["results_gb"] for one in results["costs"][0]["many"])
    lines.append(
        f"\nResults take {results['result_bytes_a_photo']:.0f} bytes a photo of the archive above: "
        f"{million:.1f} GB for a million, {billion:.0f} GB for a billion."
    )
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bulk",
        description="Check and time runs of edge.bulk: whole and broken, local and on Ray.",
    )
    add = parser.add_argument
    add("--photos", type=int, default=5000, metavar="N", help="default: %(default)s")
    add("--partition", type=int, default=100, metavar="N", help="default: %(default)s")
    add("--data", type=Path, metavar="DIR", help="photos to cut from (default: the sample)")
    add("-o", "--output", metavar="FILE", type=Path, help="results as JSON")
    args = parser.parse_args(argv)
    return report_results(lambda: run(args.photos, args.partition, args.data), table, args.output)


if __name__ == "__main__":
    sys.exit(main())
