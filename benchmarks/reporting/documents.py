"""`python -m benchmarks.reporting.documents`: write measured tables into the documents.

Each stands between `<!-- NAME: generated from FILE -->` and `<!-- end of NAME -->`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.exit_status import report
from edge.errors import EdgeError
from edge.files import write_atomically

_ROOT = Path(__file__).parents[2]
_RESULTS = Path("benchmarks", "results")


class DocumentError(EdgeError, ValueError):
    """A document has no place for a table."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a document.

    Attributes:
        document: its path in the repository.
        name: of the place in it.
        results: a file of `benchmarks/results/`, or several.
        function: `module:name` of what formats the results of all files.
    """

    document: str
    name: str
    results: str | tuple[str, ...]
    function: str

    def render(self, root: Path = _ROOT) -> str:
        """The table, Markdown, from the results as they are now."""
        files = (self.results,) if isinstance(self.results, str) else self.results
        results = [json.loads((root / _RESULTS / file).read_text("utf-8")) for file in files]
        module, _, function = self.function.partition(":")
        text: str = getattr(importlib.import_module(module), function)(*results)
        return text.strip()

    def shown(self, root: Path = _ROOT) -> str:
        """The table that the document has."""
        return self._parts((root / self.document).read_text("utf-8"))[1].strip()

    def write(self, root: Path = _ROOT) -> bool:
        """Write the table into the document; returns whether that changed it."""
        path = root / self.document
        old = path.read_text("utf-8")
        before, _, after = self._parts(old)
        new = f"{before}\n\n{self.render(root)}\n\n{after}"
        if new != old:
            with write_atomically(path) as part:
                part.write_text(new, encoding="utf-8")
        return new != old

    def _parts(self, text: str) -> tuple[str, str, str]:
        """The text up to the table, the table, and the rest."""
        start, end = text.find(f"<!-- {self.name}:"), text.find(f"<!-- end of {self.name} -->")
        if not 0 <= start < end:
            raise DocumentError(f"{self.document}: has no place for the table {self.name}")
        start = text.index("-->", start) + len("-->")
        return text[:start], text[start:end], text[end:]


_TABLES = "benchmarks.reporting.tables"
_BENCHMARKS_PAGE = ("models", "peers", "precision", "offline", "stages", "machine")
TABLES = (
    Table("README.md", "results", "latency.json", f"{_TABLES}:models"),
    *(
        Table("docs/benchmarks.md", name, "latency.json", f"{_TABLES}:{name}")
        for name in _BENCHMARKS_PAGE
    ),
    Table("docs/benchmarks.md", "processors", ("latency.json", "latency_vnni.json"),
          f"{_TABLES}:processors"),
    Table("docs/benchmarks.md", "work", "work.json", "benchmarks.work:table"),
    Table("docs/benchmarks.md", "tracked frame", "tracked_frame.json", "benchmarks.work:table"),
    Table("MODEL_CARD.md", "results", "accuracy.json", "benchmarks.accuracy:table"),
    Table("MODEL_CARD.md", "keypoints", "accuracy.json", "benchmarks.accuracy:keypoints_table"),
    Table("MODEL_CARD.md", "research", "research.json", "benchmarks.accuracy:table"),
    Table("MODEL_CARD.md", "varied", "varied.json", "benchmarks.varied:table"),
    Table("MODEL_CARD.md", "detection", "detection.json", "benchmarks.detection:table"),
    Table("docs/analysis.md", "analysis", "analysis.json", "benchmarks.analysis.__main__:table"),
    Table("docs/guides/visibility.md", "visibility", "visibility.json",
          "benchmarks.visibility.__main__:table"),
    Table("docs/guides/expressions.md", "expressions", "expressions.json",
          "benchmarks.evaluation.expressions:table"),
    Table("docs/runtime.md", "tracking", "tracking.json", "benchmarks.tracking:table"),
    Table("docs/runtime.md", "runtime", "runtime.json", "benchmarks.runtime:table"),
    Table("docs/runtime.md", "head pose", "head_pose.json", "benchmarks.head_pose:table"),
    Table("docs/raspberry-pi.md", "pi", "pi.json", "benchmarks.arm.tables:table"),
    Table("docs/raspberry-pi.md", "matrix", "matrix.json", "benchmarks.matrix:table"),
    Table("docs/bulk.md", "bulk", "bulk.json", "benchmarks.bulk:run_table"),
    Table("docs/bulk.md", "costs", "bulk.json", "benchmarks.bulk:cost_table"),
    Table("docs/engines.md", "engines", "engines.json", "benchmarks.engines.__main__:table"),
    Table("docs/serve.md", "serve", "serve.json", "benchmarks.serve:table"),
)  # fmt: skip


def run() -> str:
    """Write all tables; returns the documents that changed, a line each."""
    changed = {table.document: None for table in TABLES if table.write()}
    return "\n".join(changed) or "no table has changed"


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reporting.documents",
        description="Write the measured tables into README, MODEL_CARD and docs/.",
    )
    parser.parse_args(argv)
    return report(run)


if __name__ == "__main__":
    sys.exit(main())
