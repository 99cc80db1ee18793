"""The project's source tree, its embedded keypoint models, and the wheel that is built from it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from benchmarks.harness.processes import run_step
from edge.networks.keypoint_model import EMBEDDED, EMBEDDED_SMALL
from edge.networks.precision import int8_file

ROOT = Path(__file__).parents[2]


def embedded_models() -> list[Path]:
    """The files of the embedded keypoint models: fp32 and int8, and of the smaller one if it is."""
    files = [path for full in (EMBEDDED, EMBEDDED_SMALL) for path in (full, int8_file(full))]
    return [path for path in files if path.is_file()]


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
