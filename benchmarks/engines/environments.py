"""The engines that are compared, each in a virtual environment of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.processes import run_step
from benchmarks.matrix import find_python


@dataclass(frozen=True, slots=True)
class Engine:
    """An inference engine.

    Attributes:
        name: as reports show it.
        packages: requirements of pip, the one whose version is reported first.
        python: version of Python that its converter needs, or "" for any.
        bare: requirements that are installed without what they require.
        takes_keras: whether it takes Keras models, and no `.onnx` files.
    """

    name: str
    packages: tuple[str, ...]
    python: str = ""
    bare: tuple[str, ...] = ()
    takes_keras: bool = False


# pnnx requires PyTorch, which only its Python functions need, not its program.
ENGINES = {
    "openvino": Engine("OpenVINO", ("openvino", "onnxruntime")),
    "openvino_default": Engine("OpenVINO in its own precision", ("openvino", "onnxruntime")),
    "litert": Engine("LiteRT", ("ai-edge-litert", "onnx2tf>=2", "onnxruntime"), python="3.12"),
    "ncnn": Engine("ncnn", ("ncnn", "numpy", "onnxruntime"), bare=("pnnx",)),
    "mnn": Engine("MNN", ("MNN", "onnxruntime")),
    "coreml": Engine("Core ML", ("coremltools", "tensorflow", "onnxruntime"), takes_keras=True),
}


def install(engine: Engine, folder: Path) -> Path:
    """Create the environment of an engine.

    Args:
        engine: to install.
        folder: of the environment, which is replaced.

    Returns:
        Its interpreter.

    Raises:
        OSError: the Python is not there, or pip failed.
    """
    interpreter = find_python(engine.python) if engine.python else sys.executable
    if interpreter is None:
        raise OSError(f"Python {engine.python} is not installed here")
    shutil.rmtree(folder, ignore_errors=True)
    run_step([interpreter, "-m", "venv", str(folder)])
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run_step([*pip, *engine.packages])
    if engine.bare:
        run_step([*pip, "--no-deps", *engine.bare])
    return python


def find_installed(folder: Path) -> Path | None:
    """The interpreter of an environment that is already there, or None."""
    python = folder / "bin" / "python"
    return python if python.exists() else None


def versions(python: Path, packages: Sequence[str]) -> dict[str, str]:
    """Versions of the packages in an environment, by name."""
    names = [package.partition(">")[0] for package in packages]
    program = (
        "import json, sys; from importlib.metadata import version as v; "
        "print(json.dumps({name: v(name) for name in sys.argv[1:]}))"
    )
    done = subprocess.run(
        [str(python), "-c", program, *names], capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found
