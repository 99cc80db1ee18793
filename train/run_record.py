"""The run folder and its `run.json`: settings, data hashes, versions and results of a run."""

from __future__ import annotations

import dataclasses
import json
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import first_line
from edge.files import write_atomically
from train.errors import RunError
from train.eyes.recipe import EyeRecipe
from train.recipes import DetectorRecipe, JointRecipe, Recipe
from train.visibility.recipe import VisibilityRecipe

# The files of a run folder.
RECORD = "run.json"
HISTORY = "history.csv"
MODEL = "model.keras"
BEST = "best.keras"
LAST = "last.keras"
CALIBRATION = "calibration.npz"
VALIDATION = "validation.npz"
SETS = "sets.json"

_PACKAGES = ("keras", "numpy", "pandas", "pillow")


@dataclass(frozen=True, slots=True)
class RunPaths:
    """The files that a run reads and the folder that it writes.

    Attributes:
        data: prepared faces, or photos with boxes.
        output: the run folder.
        negatives: folder of photos without faces.
        start_from: folder of the run whose weights this one starts with.
        resume: continue the run in `output`.
    """

    data: Path
    output: Path
    negatives: Path | None = None
    start_from: Path | None = None
    resume: bool = False

    @property
    def start_model(self) -> Path | None:
        """The model whose weights the run starts with."""
        return self.start_from / MODEL if self.start_from else None


def describe(
    recipe: Recipe | DetectorRecipe | JointRecipe | EyeRecipe | VisibilityRecipe,
    hashes: dict[str, str],
    backend: str,
) -> dict[str, Any]:
    """What is known before training: settings, SHA-256 of each data file, commit, versions."""
    return {
        "recipe": dataclasses.asdict(recipe),
        "data_sha256": hashes,
        "commit": _commit(),
        "versions": {
            "python": platform.python_version(),
            "backend": backend,
            **{name: version(name) for name in _PACKAGES},
        },
    }


def open_run(paths: RunPaths, record: dict[str, Any]) -> dict[str, Any]:
    """Create the run folder, or open that of the run to be resumed, and write its `run.json`.

    Returns:
        The record of the run: `record`, or the continued record of an earlier start.

    Raises:
        RunError: the output is not a folder; it contains a run and `resume` is False; or the run
            in it has other settings or data.
    """
    folder = paths.output
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder}: is not a folder")
    if (folder / RECORD).exists():
        if not paths.resume:
            raise RunError(f"{folder}: contains a run; add --resume, or choose another folder")
        record = continue_record(read_record(folder), record, folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_record(record, folder)
    return record


def write_record(record: dict[str, Any], folder: Path) -> None:
    """Write `run.json` atomically."""
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    with write_atomically(folder / RECORD) as part:
        part.write_text(text, encoding="utf-8")


def read_record(folder: Path) -> dict[str, Any]:
    """Read `run.json`.

    Raises:
        RunError: the file is missing or corrupt.
    """
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"{folder}: not a run folder: {RECORD} is missing") from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read ({first_line(error)})") from error
    if not isinstance(record, dict):
        raise RunError(f"{path}: expected a JSON object")
    return record


def read_held_out(folder: Path, faces: Any) -> NDArray[np.bool_]:
    """Which faces the validation set of a finished run contains, bool `(N,)`.

    Args:
        folder: the run folder.
        faces: `train.data.faces.Faces`; they are identified by `sources` and `ids`.

    Raises:
        RunError: `sets.json` of the run is missing or corrupt.
    """
    path = folder / SETS
    try:
        pairs = json.loads(path.read_text(encoding="utf-8"))[Path(VALIDATION).stem]
        validation = {(str(source), int(number)) for source, number in pairs}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: cannot be read ({error!r})") from error
    identities = zip(faces.sources.tolist(), faces.ids.tolist(), strict=True)
    return np.array([identity in validation for identity in identities], dtype=bool)


def continue_record(old: dict[str, Any], new: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The record of a resumed run: that of its first start, with a list of the later starts.

    Data are compared by their hashes; a file may have been renamed.

    Raises:
        RunError: the recipe or the data differ.
    """
    now = json.loads(json.dumps(new))  # tuples become lists, as in the file
    before = old.get("recipe")
    if before != now["recipe"]:
        fields = [f for f, v in now["recipe"].items() if not before or before.get(f) != v]
        raise RunError(_cannot_resume(folder, f"recipe has changed ({', '.join(fields)})"))
    if sorted(old.get("data_sha256", {}).values()) != sorted(now["data_sha256"].values()):
        reason = "the training file, the negatives or the initial model has changed"
        raise RunError(_cannot_resume(folder, reason))
    resumed = {key: now[key] for key in ("commit", "versions")}
    return {**old, "resumed": [*old.get("resumed", []), resumed]}


def _cannot_resume(folder: Path, reason: str) -> str:
    return (
        f"{folder}: cannot resume: {reason}; "
        "use the settings and data of the run, or another output folder"
    )


def _commit() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        process = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return process.stdout.strip()
