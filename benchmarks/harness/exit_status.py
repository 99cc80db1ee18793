"""Output of the benchmark commands: results as JSON and as a table, errors, exit status."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.cli.streams import make_streams_readable
from edge.errors import EdgeError, first_line
from edge.files import write_atomically


def write_results(results: dict[str, Any], path: Path) -> None:
    """Write results as indented JSON.

    Raises:
        OSError: the file cannot be written.
    """
    text = json.dumps(results, indent=2, ensure_ascii=False) + "\n"
    with write_atomically(path) as part:
        part.write_text(text, encoding="utf-8")


def report_results(
    run: Callable[[], dict[str, Any]],
    table: Callable[[dict[str, Any]], str],
    output: Path | None,
    describe_key: Callable[[KeyError], str] = str,
    failures: Callable[[dict[str, Any]], list[str]] = lambda results: [],
) -> int:
    """Run a benchmark, write its results as JSON if `output` is given, and print them as a table.

    Args:
        run: the measurement.
        table: formats results as Markdown.
        output: the JSON file, or None.
        describe_key: words the error of a key that the data lacks.
        failures: requirements that the results do not meet, a line each.

    Returns:
        The exit status of `report`, or 1, with the failures on standard error, if there are any.
    """
    failed: list[str] = []

    def measure() -> str:
        results = run()
        if output:
            write_results(results, output)
        failed.extend(failures(results))
        return table(results)

    status = report(measure, describe_key)
    for line in failed:
        print(f"benchmarks: {line}", file=sys.stderr)
    return 1 if failed else status


def report(measure: Callable[[], str], describe_key: Callable[[KeyError], str] = str) -> int:
    """Run a command's work and print the text that it returns.

    Args:
        measure: the work.
        describe_key: words the error of a key that the data lacks.

    Returns:
        The exit status: 0, or 1 with one line on standard error.
    """
    make_streams_readable()
    try:
        print(measure())
    except KeyError as error:
        print(f"benchmarks: {describe_key(error)}", file=sys.stderr)
        return 1
    except (EdgeError, OSError, ValueError) as error:
        print(f"benchmarks: {first_line(error)}", file=sys.stderr)
        return 1
    return 0
