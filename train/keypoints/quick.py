"""The steps of `python -m train.run --quick` after training: export, and a first prediction.

Each is a command of another package, run in a process of its own: packages share files alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import edge
from train.errors import RunError

SAMPLE = Path(edge.__file__).parent / "data" / "astronaut.jpg"


def export_and_predict(folder: Path) -> str:
    """Export a finished run in fp32 and predict the keypoints of the sample photo with it.

    Args:
        folder: of the run; receives `keypoints.onnx` and the annotated photo.

    Returns:
        The command that uses the exported network.

    Raises:
        RunError: a step failed; it has printed why.
    """
    model = folder / "keypoints.onnx"
    _run("export.run", str(folder), "-o", str(folder), "--no-int8")
    _run("edge.run", str(SAMPLE), "--model", str(model), "-o", str(folder))
    return f"your own photos: python -m edge.run PHOTO --model {model}"


def _run(module: str, *arguments: str) -> None:
    # Export needs Keras on TensorFlow, whichever backend trained.
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, "-m", module, *arguments]
    if subprocess.run(command, env=environment).returncode:
        raise RunError(f"python -m {module} failed")
