"""The sample photo of the package, which benchmarks use where no other data is given."""

from __future__ import annotations

from benchmarks.harness.project import ROOT

SAMPLE = ROOT / "edge" / "data" / "astronaut.jpg"
