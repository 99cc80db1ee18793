"""The project's source tree, and the wheel that is built from it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from benchmarks.harness.processes import run_step

ROOT = Path(__file__).parents[2]


def build_wheel(folder: Path) -> Path:
    """Build the wheel of this project.

    Args:
        folder: receives `wheels/`; an older one is deleted.

    Returns:
        The path of the wheel.

    Raises:
        OSError: pip failed.
    """
    wheels = folder / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    run_step(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(wheels), str(ROOT)]
    )
    (wheel,) = wheels.glob("*.whl")
    return wheel
