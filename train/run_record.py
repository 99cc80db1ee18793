"""`run.json`: what a run was, so that it can be made again and its numbers believed."""

from __future__ import annotations

import dataclasses
import json
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.errors import RunError
from train.recipes import FaceRecipe, Recipe

# The files of a run folder.
RECORD, HISTORY, MODEL = "run.json", "history.csv", "model.keras"
BEST, LAST = "best.keras", "last.keras"
CALIBRATION, VALIDATION, SETS = "calibration.npz", "validation.npz", "sets.json"

_PACKAGES = ("keras", "numpy", "pandas", "pillow")


def describe(recipe: Recipe | FaceRecipe, hashes: dict[str, str], backend: str) -> dict[str, Any]:
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


def write_record(record: dict[str, Any], folder: Path) -> None:
    """Write `run.json` whole, or leave the old one."""
    part = folder / f"{RECORD}.part"
    part.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(folder / RECORD)


def read_record(folder: Path) -> dict[str, Any]:
    """Read `run.json`.

    Raises:
        RunError: there is none, or it is broken.
    """
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"{folder}: no run there: {RECORD} is missing") from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read ({error})") from error
    if not isinstance(record, dict):
        raise RunError(f"{path}: expected a JSON object")
    return record


def read_held_out(folder: Path, faces: Any) -> NDArray[np.bool_]:
    """Which of `faces` a finished run held out, bool `(N,)`.

    Raises:
        RunError: its `sets.json` is missing or broken.
    """
    path = folder / SETS
    try:
        pairs = json.loads(path.read_text(encoding="utf-8"))[Path(VALIDATION).stem]
        known = {(str(source), int(number)) for source, number in pairs}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: cannot be read ({error!r})") from error
    here = zip(faces.sources.tolist(), faces.ids.tolist(), strict=True)
    return np.array([pair in known for pair in here], dtype=bool)


def continue_record(old: dict[str, Any], new: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The record of a run that goes on: what the first start wrote, and where it was resumed.

    Raises:
        RunError: the recipe or the data differ. The same data under another name is the same.
    """
    now = json.loads(json.dumps(new))
    before = old.get("recipe")
    if before != now["recipe"]:
        fields = [f for f, v in now["recipe"].items() if not before or before.get(f) != v]
        raise RunError(_cannot_resume(folder, f"recipe has changed ({', '.join(fields)})"))
    if sorted(old.get("data_sha256", {}).values()) != sorted(now["data_sha256"].values()):
        raise RunError(
            _cannot_resume(
                folder, "the training file, the negatives or the model it began with has changed"
            )
        )
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
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
