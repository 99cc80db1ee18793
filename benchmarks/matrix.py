"""`python -m benchmarks.matrix`: the wheel's own tests on the lowest and the newest versions.

For each Python found, and for the lowest and the newest numpy, onnxruntime and Pillow that install
on it, a virtual environment gets the wheel and pytest, and runs `tests/edge` from a folder in which
nothing else of the project lies.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.arm.qemu import Ended, run_measured
from benchmarks.arm.rootfs import build_wheel, run_step
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.minimum_versions import PACKAGES, PYTHONS, ROOT, lowest

_SETS = ("lowest", "newest")
_TESTS = ("tests/conftest.py", "tests/made_faces.py", "tests/edge", "edge/data", "pyproject.toml")
_VERSIONS = (
    "import json, platform; from importlib.metadata import version as v; "
    f"print(json.dumps([platform.python_version(), *map(v, {PACKAGES!r})]))"
)


def run(folder: Path, pythons: Sequence[str]) -> dict[str, Any]:
    """Make every environment and run the tests in it.

    Args:
        folder: where environments are made.
        pythons: versions such as "3.12".

    Returns:
        The results, for `table` and `json`.

    Raises:
        OSError: the wheel cannot be built.
    """
    wheel, stage = build_wheel(folder), lay_out(folder / "stage")
    rows = [
        try_out(folder / f"{python}-{name}", python, name, wheel, stage)
        for python in pythons
        for name in _SETS
    ]
    return {"machine": describe_machine(threads=1), "rows": rows}


def lay_out(stage: Path) -> Path:
    """Copy the tests and what they read, but not the package, into a folder."""
    shutil.rmtree(stage, ignore_errors=True)
    for name in _TESTS:
        source, target = ROOT / name, stage / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return stage


def try_out(folder: Path, python: str, name: str, wheel: Path, stage: Path) -> dict[str, Any]:
    """One environment: made, and the tests run in it.

    Args:
        folder: of the environment, in place of what is there.
        python: version of Python.
        name: "lowest" or "newest".
        wheel: ours.
        stage: folder with the tests.

    Returns:
        A row of the results.
    """
    row = {"python": python, "set": name}
    interpreter = find_python(python)
    if interpreter is None:
        return {**row, "ended": "this Python is not installed here"}
    try:
        installed = _set_up(folder, interpreter, requirements(python, name), wheel)
    except OSError as error:
        return {**row, "ended": str(error)}
    ended = run_measured(
        [str(folder / "bin" / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "tests/edge"], {"PYTHONPATH": ""}, stage,
    )  # fmt: skip
    return {**row, **installed, **count(ended)}


def find_python(version: str) -> str | None:
    """The interpreter of a version, such as "3.12", of the PATH or of pyenv; or None."""
    name = f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [shutil.which(name), *map(str, sorted(pyenv.glob(f"{version}.*/bin/{name}")))]
    return next((path for path in found if path and _version_of(path) == version), None)


def _version_of(python: str) -> str:
    """What an interpreter says it is; nothing where it is pyenv's shim for none that is chosen."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", program], capture_output=True, text=True).stdout.strip()


def requirements(python: str, name: str) -> list[str]:
    """What pip installs besides the wheel and pytest."""
    if name == "newest":
        return list(PACKAGES)
    return [f"{package}=={version}" for package, version in lowest(python).items()]


def count(ended: Ended) -> dict[str, Any]:
    """What pytest says at its end: tests passed, failed and skipped, and how it ended."""
    lines = ended.output.strip().splitlines() or [""]
    numbers = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|skipped)", lines[-1])}
    counts = {word: numbers.get(word, 0) for word in ("passed", "failed", "skipped")}
    fine = ended.status == 0 and counts["passed"] > 0
    return {**counts, "ended": "passed" if fine else (lines[-1] or ended.verdict)}


def _set_up(folder: Path, interpreter: str, wanted: Sequence[str], wheel: Path) -> dict[str, str]:
    shutil.rmtree(folder, ignore_errors=True)
    run_step([interpreter, "-m", "venv", str(folder)])
    python = str(folder / "bin" / "python")
    run_step(
        [python, "-m", "pip", "install", "--quiet", "--only-binary=:all:", *wanted, str(wheel),
         "pytest>=8"]
    )  # fmt: skip
    shown = subprocess.run([python, "-c", _VERSIONS], capture_output=True, text=True, check=True)
    full, *versions = json.loads(shown.stdout)
    return {"python_full": full, **dict(zip(PACKAGES, versions, strict=True))}


def table(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = ["| Python | numpy | onnxruntime | Pillow | tests |", "|---|---|---|---|---|"]
    for row in results["rows"]:
        if "passed" not in row:
            lines.append(f"| {row['python']} | – | – | – | {row['set']}: {row['ended']} |")
            continue
        told = f"{row['passed']} passed"
        told += "".join(f", {row[w]} {w}" for w in ("failed", "skipped") if row[w])
        told = told if row["failed"] or row["ended"] == "passed" else row["ended"]
        versions = [row[package] for package in PACKAGES]
        lines.append("| " + " | ".join([row["python_full"], *versions, told]) + " |")
    return "\n".join(lines)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.matrix",
        description="Run edge's tests on the lowest and newest versions of what it needs.",
    )
    add = parser.add_argument
    add("--python", nargs="+", default=list(PYTHONS), metavar="VERSION", dest="pythons",
        help="default: %(default)s")  # fmt: skip
    add("--work", metavar="FOLDER", type=Path, default=Path("runs/matrix"),
        help="where environments are made (default: %(default)s)")  # fmt: skip
    add("-o", "--output", metavar="FILE", type=Path, help="results as JSON")
    return parser.parse_args(argv)


def failures(results: dict[str, Any]) -> list[str]:
    """A line for each pair of versions whose tests did not pass."""
    return [
        f"Python {row['python']}, {row['set']}: {row['ended']}"
        for row in results["rows"]
        if row["ended"] != "passed"
    ]


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status, 1 also where a test fails."""
    args = parse_args(argv)
    return report_results(
        lambda: run(args.work.absolute(), args.pythons), table, args.output, failures=failures
    )


if __name__ == "__main__":
    sys.exit(main())
