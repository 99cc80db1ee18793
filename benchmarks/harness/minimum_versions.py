"""The minimum versions of the dependencies that the project declares to support."""

from __future__ import annotations

import re

from benchmarks.harness.project import ROOT

PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
# Later Pythons have no wheels of the minimum versions, or onnxruntime 1.17 needs a later numpy.
_RAISED = {
    "3.11": {"numpy": "1.24.2"},
    "3.12": {"numpy": "1.26.0"},
    "3.13": {"numpy": "2.1.0", "onnxruntime": "1.20.0", "pillow": "10.4.0"},
    "3.14": {"numpy": "2.3.3", "onnxruntime": "1.24.1", "pillow": "11.3.0"},
}
PACKAGES = ("numpy", "onnxruntime", "pillow")


def read_minimum(project: str) -> dict[str, str]:
    """The lower bound of each dependency in pyproject.toml.

    Args:
        project: the file's text.

    Returns:
        Versions such as "1.23.5", by package.

    Raises:
        ValueError: a dependency has no lower bound there.
    """
    bounds = {}
    for name in PACKAGES:
        match = re.search(rf'^ +"{name}>=([\d.]+)[",]', project, re.MULTILINE)
        if match is None:
            raise ValueError(f"pyproject.toml: expected {name}>=… among the dependencies")
        bounds[name] = match[1]
    return bounds


def minimum_versions(python: str) -> dict[str, str]:
    """The minimum versions that install together on a Python, such as "3.12"; by package."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return {**read_minimum(project), **_RAISED.get(python, {})}
