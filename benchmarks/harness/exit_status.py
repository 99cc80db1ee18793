"""What the commands of this folder share: results as JSON, and a wrong input as one line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.errors import EdgeError


def write_results(results: dict[str, Any], path: Path) -> None:
    """Write results as indented JSON."""
    path.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def report_results(
    run: Callable[[], dict[str, Any]],
    table: Callable[[dict[str, Any]], str],
    output: Path | None,
    missing: Callable[[KeyError], str] = str,
    failures: Callable[[dict[str, Any]], list[str]] = lambda results: [],
) -> int:
    """Run a benchmark, write its results as JSON if asked to, and print them as a table.

    Args:
        run: the work.
        table: results as Markdown.
        output: where the JSON goes, or None.
        missing: what to say of a key that the data lacks.
        failures: what of the results is not as it must be, a line each.

    Returns:
        The exit status: as `report`, and 1 with those lines on standard error where there are any.
    """
    wrong: list[str] = []

    def measure() -> str:
        results = run()
        if output:
            write_results(results, output)
        wrong.extend(failures(results))
        return table(results)

    status = report(measure, missing)
    for line in wrong:
        print(f"benchmarks: {line}", file=sys.stderr)
    return 1 if wrong else status


def report(measure: Callable[[], str], missing: Callable[[KeyError], str]) -> int:
    """Run a command's work and print what it returns.

    Args:
        measure: the work.
        missing: what to say of a key that the data lacks.

    Returns:
        The exit status: 0, or 1 with one line on standard error.
    """
    try:
        print(measure())
    except (EdgeError, OSError, ValueError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    except KeyError as error:
        print(f"benchmarks: {missing(error)}", file=sys.stderr)
        return 1
    return 0
