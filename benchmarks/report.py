"""`python -m benchmarks.report RESULTS.json… -o DIR`: results as Markdown and as one HTML page.

The page needs nothing but itself: plots are in it. Several files, of several machines or commits,
stand side by side.
"""

from __future__ import annotations

import argparse
import html
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.harness.exit_status import report
from benchmarks.reporting import tables as summary
from benchmarks.reporting.schema import check

_WORSE = 1.15
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
        description="Make a report of results, or compare them with older ones.",
    )
    add = parser.add_argument
    add("results", nargs="+", metavar="FILE.json", type=Path, help="of python -m benchmarks.run")
    add("-o", "--output", metavar="DIR", type=Path, help="folder for report.md and report.html")
    add("--compare", metavar="OLD.json", type=Path,
        help="exit with 1 where a median is worse than there")  # fmt: skip
    add("--worse", type=float, default=_WORSE, metavar="RATIO",
        help="from which ratio on a median counts as worse (default: %(default)s)")  # fmt: skip
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
        ValueError: it is no such file, with the place that is wrong.
    """
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not JSON ({error})") from error
    wrong = check(results)
    if wrong:
        raise ValueError(f"{path}: not results of benchmarks.run: {wrong}")
    return dict(results)


def write_report(files: list[Path], folder: Path) -> str:
    """Write `report.md` and `report.html`; returns a line that says so."""
    every = {path.stem: read_results(path) for path in files}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(markdown(every), encoding="utf-8")
    (folder / "report.html").write_text(page(every), encoding="utf-8")
    return f"{folder / 'report.md'} and {folder / 'report.html'}"


Section = tuple[str, str, Callable[[dict[str, Any]], str] | None]


def sections(results: dict[str, Any]) -> list[Section]:
    """The heading of each part, its table, and what plots it."""
    from benchmarks.reporting import plots

    shown: list[Section] = [
        ("Models", summary.models(results), plots.latency_curves),
        ("Precision", summary.precision(results), None),
        ("Throughput", summary.offline(results), plots.throughput),
        ("Stages of a photo", summary.stages(results), plots.stages),
    ]
    if results["peers"]:
        shown += [
            ("Beside peers", summary.peers(results), plots.accuracy_against_latency),
            ("Errors on helen", "", plots.error_curves),
        ]
    shown += [(f"Operators of {m}", summary.layers(results, m), None) for m in results["layers"]]
    return [*shown, ("Machine", summary.machine(results), None)]


def markdown(every: dict[str, dict[str, Any]]) -> str:
    """All results, without plots."""
    parts = ["# Benchmarks", side_by_side(every)]
    for name, results in every.items():
        parts.append(f"## {name}")
        parts += [f"### {head}\n\n{table}" for head, table, _ in sections(results) if table]
    return "\n\n".join(parts) + "\n"


def page(every: dict[str, dict[str, Any]]) -> str:
    """All results with plots, as one page that loads nothing."""
    parts = ["<h1>Benchmarks</h1>", to_html(side_by_side(every))]
    for name, results in every.items():
        parts.append(f"<h2>{html.escape(name)}</h2>")
        for head, table, plot in sections(results):
            parts += [f"<h3>{html.escape(head)}</h3>", plot(results) if plot else "",
                      to_html(table)]  # fmt: skip
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Benchmarks</title>'
        f"<style>{_STYLE}</style>\n" + "\n".join(parts) + "\n</html>\n"
    )


def side_by_side(every: dict[str, dict[str, Any]]) -> str:
    """The median of everything, one thread, a column for each file."""
    lines = ["| median, one thread | " + " | ".join(every) + " |", "|---" * (len(every) + 1) + "|"]
    medians = {name: _medians(results) for name, results in every.items()}
    for what in dict.fromkeys(what for column in medians.values() for what in column):
        cells = [f"{column[what]:.2f} ms" if what in column else "–" for column in medians.values()]
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _medians(results: dict[str, Any]) -> dict[str, float]:
    rows = [row for row in results["single_stream"] if row["threads"] == 1]
    return {row["what"]: row["p50_ms"] for row in rows}


def compare(new: dict[str, Any], old: dict[str, Any], worse: float) -> list[str]:
    """A line for each median that is worse than before by that ratio, matrix rates made equal."""
    pace = new["matrix_gflops"] / old["matrix_gflops"]  # a slower machine is no worse program
    before = _medians(old)
    lines = []
    for what, ms in _medians(new).items():
        ratio = ms / before[what] * pace if what in before else 0.0
        if ratio >= worse:
            lines.append(f"{what}: {ms:.2f} ms, before {before[what]:.2f} ms: {ratio:.2f} times")
    return lines


def to_html(table: str) -> str:
    """A Markdown table as HTML."""
    if not table:
        return ""
    rows = [line[2:-2].split(" | ") for line in table.splitlines()]
    del rows[1]
    cells = [
        "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"
        for row, tag in zip(rows, ["th"] + ["td"] * len(rows), strict=False)
    ]
    return f"<table>{''.join(cells)}</table>"


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    args = parse_args(argv)
    if args.output and (status := report(lambda: write_report(args.results, args.output), str)):
        return status
    if not args.compare:
        return 0
    found: list[str] = []

    def look() -> str:
        old = read_results(args.compare)
        for path in args.results:
            found.extend(f"{path}: {x}" for x in compare(read_results(path), old, args.worse))
        return "\n".join(found) or "nothing is worse"

    return report(look, str) or bool(found)


if __name__ == "__main__":
    sys.exit(main())
