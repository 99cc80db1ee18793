"""The lowest versions of the dependencies that the project says it supports."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
# Later Pythons have no wheels of the lowest, and there onnxruntime 1.17 asks for a later numpy.
_LATER = {
    "3.11": {"numpy": "1.24.2"},
    "3.12": {"numpy": "1.26.0"},
    "3.13": {"numpy": "2.1.0", "onnxruntime": "1.20.0", "pillow": "10.4.0"},
}
PACKAGES = ("numpy", "onnxruntime", "pillow")


def read_lowest(project: str) -> dict[str, str]:
    """The lower bound of each dependency.

    Args:
        project: text of pyproject.toml.

    Returns:
        From the name of a package to a version, such as "1.23.5".

    Raises:
        ValueError: a dependency has no lower bound there.
    """
    bounds = {}
    for name in PACKAGES:
        found = re.search(rf'^ +"{name}>=([\d.]+)[",]', project, re.MULTILINE)
        if found is None:
            raise ValueError(f"pyproject.toml: expected {name}>=… among the dependencies")
        bounds[name] = found[1]
    return bounds


def lowest(python: str) -> dict[str, str]:
    """The lowest versions that install together on a Python, such as "3.12"."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return {**read_lowest(project), **_LATER.get(python, {})}
