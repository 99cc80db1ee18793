"""`python -m benchmarks.matrix`: the tests of `edge` with minimum and newest dependencies.

For each Python found, a virtual environment with the minimum versions of numpy, onnxruntime and
Pillow, and one with the newest that install, gets the wheel and pytest, and runs `tests/edge` from
a folder without the rest of the project.
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

from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.harness.minimum_versions import PACKAGES, PYTHONS, minimum_versions
from benchmarks.harness.processes import ProcessResult, last_line, run_measured, run_step
from benchmarks.harness.project import ROOT, build_wheel
from benchmarks.reporting.markdown import header, row

_SETS = ("lowest", "newest")  # of dependencies
_TESTS = (
    "tests/conftest.py", "tests/drawn_faces.py", "tests/made_faces.py", "tests/made_models.py",
    "tests/made_shots.py", "tests/made_videos.py", "tests/poison_input.py", "tests/edge",
    "edge/data", "pyproject.toml",
)  # fmt: skip
_VERSIONS = (
    "import json, platform; from importlib.metadata import version as v; "
    f"print(json.dumps([platform.python_version(), *map(v, {PACKAGES!r})]))"
)


def run(folder: Path, pythons: Sequence[str]) -> dict[str, Any]:
    """Create every environment and run the tests in it.

    Args:
        folder: receives the environments.
        pythons: versions such as "3.12".

    Returns:
        The results, for `table` and `json`.

    Raises:
        OSError: the wheel cannot be built.
    """
    wheel = build_wheel(folder)
    stage = copy_tests(folder / "stage")
    rows = [
        run_tests(folder / f"{python}-{name}", python, name, wheel, stage)
        for python in pythons
        for name in _SETS
    ]
    return {"machine": describe_machine(threads=1), "rows": rows}


def copy_tests(stage: Path) -> Path:
    """Copy the tests and their data, but not the package, into a folder; returns it."""
    shutil.rmtree(stage, ignore_errors=True)
    for name in _TESTS:
        source, target = ROOT / name, stage / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return stage


def run_tests(folder: Path, python: str, name: str, wheel: Path, stage: Path) -> dict[str, Any]:
    """Create one environment and run the tests in it.

    Args:
        folder: of the environment, which is replaced.
        python: version of Python, such as "3.12".
        name: of the dependencies, "lowest" or "newest".
        wheel: of this package.
        stage: the tests, from `copy_tests`.

    Returns:
        A row of the results.
    """
    tested = {"python": python, "set": name}
    interpreter = find_python(python)
    if interpreter is None:
        return {**tested, "ended": "this Python is not installed here"}
    try:
        versions = _set_up(folder, interpreter, requirements(python, name), wheel)
    except OSError as error:
        return {**tested, "ended": str(error)}
    result = run_measured(
        [str(folder / "bin" / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "tests/edge"], {"PYTHONPATH": ""}, stage,
    )  # fmt: skip
    return {**tested, **versions, **count_outcomes(result)}


def find_python(version: str) -> str | None:
    """The interpreter of a version, such as "3.12", on the PATH or in pyenv; or None."""
    name = f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(name), *map(str, sorted(pyenv.glob(f"{version}.*/bin/{name}")))]
    return next((path for path in candidates if path and _version_of(path) == version), None)


def _version_of(python: str) -> str:
    """Version of an interpreter; "" for a shim of pyenv without a selected interpreter."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", program], capture_output=True, text=True).stdout.strip()


def requirements(python: str, name: str) -> list[str]:
    """Requirements of pip besides the wheel and pytest."""
    if name == "newest":
        return list(PACKAGES)
    return [f"{package}=={version}" for package, version in minimum_versions(python).items()]


def count_outcomes(result: ProcessResult) -> dict[str, Any]:
    """Numbers of tests from pytest's summary, and "passed" or what went wrong."""
    summary = last_line(result.output)
    numbers = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|skipped)", summary)}
    counts = {word: numbers.get(word, 0) for word in ("passed", "failed", "skipped")}
    passed = result.status == 0 and counts["passed"] > 0
    return {**counts, "ended": "passed" if passed else (summary or result.outcome)}


def _set_up(folder: Path, interpreter: str, packages: Sequence[str], wheel: Path) -> dict[str, str]:
    """Create an environment; returns the versions of Python and of the packages."""
    shutil.rmtree(folder, ignore_errors=True)
    run_step([interpreter, "-m", "venv", str(folder)])
    python = str(folder / "bin" / "python")
    run_step(
        [python, "-m", "pip", "install", "--quiet", "--only-binary=:all:", *packages, str(wheel),
         "pytest>=8"]
    )  # fmt: skip
    done = subprocess.run([python, "-c", _VERSIONS], capture_output=True, text=True, check=True)
    full, *versions = json.loads(done.stdout)
    return {"python_full": full, **dict(zip(PACKAGES, versions, strict=True))}


def table(results: dict[str, Any]) -> str:
    """The results as a Markdown table."""
    lines = header("Python", "numpy", "onnxruntime", "Pillow", "tests")
    for tested in results["rows"]:
        if "passed" in tested:
            versions = [tested[package] for package in PACKAGES]
            lines.append(row(tested["python_full"], *versions, _outcome(tested)))
        else:
            lines.append(row(tested["python"], *"–––", f"{tested['set']}: {tested['ended']}"))
    return "\n".join(lines)


def _outcome(tested: dict[str, Any]) -> str:
    if not tested["failed"] and tested["ended"] != "passed":
        return str(tested["ended"])
    others = [f", {tested[word]} {word}" for word in ("failed", "skipped") if tested[word]]
    return f"{tested['passed']} passed" + "".join(others)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with status 2 where it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.matrix",
        description="Run edge's tests with minimum and newest versions of its dependencies.",
    )
    add = parser.add_argument
    add("--python", nargs="+", default=list(PYTHONS), metavar="VERSION", dest="pythons",
        help="versions of Python (default: %(default)s)")  # fmt: skip
    add("--work", metavar="FOLDER", type=Path, default=Path("runs/matrix"),
        help="folder for the environments (default: %(default)s)")  # fmt: skip
    add("-o", "--output", metavar="FILE", type=Path, help="write the results as JSON")
    return parser.parse_args(argv)


def failures(results: dict[str, Any]) -> list[str]:
    """A line for each environment whose tests did not pass."""
    return [
        f"Python {tested['python']}, {tested['set']}: {tested['ended']}"
        for tested in results["rows"]
        if tested["ended"] != "passed"
    ]


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status, 1 also where a test fails."""
    args = parse_args(argv)
    return report_results(
        lambda: run(args.work.absolute(), args.pythons), table, args.output, failures=failures
    )


if __name__ == "__main__":
    sys.exit(main())
