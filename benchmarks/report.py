"""`python -m benchmarks.report RESULTS.json… -o DIR`: results as Markdown and as one HTML page.

The page is self-contained, with its plots. Results of several machines or commits are compared
side by side.
"""

from __future__ import annotations

import argparse
import html
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.harness.exit_status import report
from benchmarks.reporting import tables
from benchmarks.reporting.markdown import header, row
from benchmarks.reporting.schema import validate
from edge.errors import first_line
from edge.extras import require
from edge.files import write_atomically

_MAX_RATIO = 1.15  # of a median to an older one
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;"
    "color-scheme:light dark}table{border-collapse:collapse;margin:1rem 0;display:block;"
    "overflow-x:auto}td,th{padding:.25rem .7rem;border-bottom:1px solid #8886;text-align:left}"
    "svg{max-width:100%;height:auto;background:#fff;border-radius:4px}"
)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.report",
        description="Format results of python -m benchmarks.run, or compare them with older ones.",
    )
    add = parser.add_argument
    add(
        "results",
        nargs="+",
        metavar="FILE.json",
        type=Path,
        help="results of python -m benchmarks.run",
    )
    add(
        "-o",
        "--output",
        metavar="DIR",
        type=Path,
        help="write report.md and report.html to this folder",
    )
    add("--compare", metavar="OLD.json", type=Path,
        help="exit with status 1 if a median is worse than in this file")  # fmt: skip
    add("--worse", type=float, default=_MAX_RATIO, metavar="RATIO",
        help="ratio from which a median counts as worse (default: %(default)s)")  # fmt: skip
    args = parser.parse_args(argv)
    if args.output is None and args.compare is None:
        parser.error("give -o DIR, --compare OLD.json or both")
    if not args.worse > 1:
        parser.error("--worse must be above 1")
    return args


def read_results(path: Path) -> dict[str, Any]:
    """Read a file of results.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not JSON or violates the schema; the message has the JSON path.
    """
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not JSON ({first_line(error)})") from error
    violation = validate(results)
    if violation:
        raise ValueError(f"{path}: not results of benchmarks.run: {violation}")
    return dict(results)


def write_report(files: list[Path], folder: Path) -> str:
    """Write `report.md` and `report.html`; returns a line that names them.

    Raises:
        MissingExtra: matplotlib is not installed.
        OSError, ValueError: a file cannot be read or written.
    """
    all_results = {path.stem: read_results(path) for path in files}
    folder.mkdir(parents=True, exist_ok=True)
    outputs = {
        folder / "report.md": markdown(all_results),
        folder / "report.html": page(all_results),
    }
    for path, text in outputs.items():
        with write_atomically(path) as part:
            part.write_text(text, encoding="utf-8")
    return " and ".join(map(str, outputs))


Results = dict[str, Any]
Section = tuple[str, str, Callable[[Results], str] | None]
"""Heading, Markdown table or "", and the function that plots it or None."""


def sections(results: dict[str, Any]) -> list[Section]:
    """The sections of a report.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    require("matplotlib", "bench", "plotting results")
    from benchmarks.reporting import plots

    parts: list[Section] = [
        ("Models", tables.models(results), plots.latency_curves),
        ("Precision", tables.precision(results), None),
        ("Throughput", tables.offline(results), plots.throughput),
        ("Stages of a photo", tables.stages(results), plots.stages),
    ]
    if results["peers"]:
        parts += [
            ("Beside peers", tables.peers(results), plots.accuracy_against_latency),
            ("Errors on helen", "", plots.error_curves),
        ]
    for model in results["layers"]:
        parts.append((f"Operators of {model}", tables.layers(results, model), None))
    return [*parts, ("Machine", tables.machine(results), None)]


def markdown(all_results: dict[str, Results]) -> str:
    """All results as Markdown, without plots."""
    parts = ["# Benchmarks", side_by_side(all_results)]
    for name, results in all_results.items():
        parts.append(f"## {name}")
        parts += [f"### {head}\n\n{table}" for head, table, _ in sections(results) if table]
    return "\n\n".join(parts) + "\n"


def page(all_results: dict[str, Results]) -> str:
    """All results with plots, as one HTML page without external resources."""
    parts = ["<h1>Benchmarks</h1>", to_html(side_by_side(all_results))]
    for name, results in all_results.items():
        parts.append(f"<h2>{html.escape(name)}</h2>")
        for head, table, plot in sections(results):
            parts += [f"<h3>{html.escape(head)}</h3>", plot(results) if plot else "",
                      to_html(table)]  # fmt: skip
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Benchmarks</title>'
        f"<style>{_STYLE}</style>\n" + "\n".join(parts) + "\n</html>\n"
    )


def side_by_side(all_results: dict[str, Results]) -> str:
    """Medians of all single-stream measurements, one thread, a column per file."""
    lines = header("median, one thread", *all_results)
    medians = {name: _medians(results) for name, results in all_results.items()}
    for what in dict.fromkeys(what for column in medians.values() for what in column):
        cells = [f"{column[what]:.2f} ms" if what in column else "–" for column in medians.values()]
        lines.append(row(what, *cells))
    return "\n".join(lines)


def _medians(results: dict[str, Any]) -> dict[str, float]:
    return {
        measured["what"]: measured["p50_ms"]
        for measured in results["single_stream"]
        if measured["threads"] == 1
    }


def compare(new: Results, old: Results, max_ratio: float) -> list[str]:
    """Medians that have become worse.

    Args:
        new: results.
        old: results to compare with.
        max_ratio: of a median to the old one, above which it is worse; the speed of the machines
            is equalised by their matrix rates.

    Returns:
        A line for each.
    """
    speed = new["matrix_gflops"] / old["matrix_gflops"]
    old_medians = _medians(old)
    lines = []
    for what, ms in _medians(new).items():
        old_ms = old_medians.get(what, math.inf)
        ratio = ms / old_ms * speed
        if ratio >= max_ratio:
            lines.append(f"{what}: {ms:.2f} ms, before {old_ms:.2f} ms: {ratio:.2f} times")
    return lines


def to_html(table: str) -> str:
    """A Markdown table as HTML."""
    if not table:
        return ""
    rows = [line[2:-2].split(" | ") for line in table.splitlines()]
    del rows[1]  # the line below the header
    tags = ["th"] + ["td"] * (len(rows) - 1)
    lines = [
        "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"
        for cells, tag in zip(rows, tags, strict=True)
    ]
    return f"<table>{''.join(lines)}</table>"


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    if args.output and (status := report(lambda: write_report(args.results, args.output))):
        return status
    if not args.compare:
        return 0
    worse: list[str] = []

    def compare_all() -> str:
        old = read_results(args.compare)
        for path in args.results:
            worse.extend(f"{path}: {line}" for line in compare(read_results(path), old, args.worse))
        return "\n".join(worse) or "no median is worse"

    return report(compare_all) or bool(worse)


if __name__ == "__main__":
    sys.exit(main())
