"""What export reads: the files of a training run."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.errors import RunFolderError


@dataclass(frozen=True, slots=True)
class FaceSet:
    """Faces and their keypoints, as a run saved them.

    Attributes:
        faces: uint8 `(N, 96, 96)`, grey.
        keypoints: float32 `(N, 15, 2)` px, NaN where missing.
    """

    faces: NDArray[np.uint8]
    keypoints: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A finished training run.

    Attributes:
        model: path of `model.keras`.
        sha256: of that file, hexadecimal.
        record: what `run.json` says.
        calibration: training faces from which int8 ranges are taken.
        validation: held-out faces on which the exported models are compared.
    """

    model: Path
    sha256: str
    record: dict[str, Any]
    calibration: FaceSet
    validation: FaceSet


def read_run(folder: str | Path) -> TrainingRun:
    """Read a training run's folder.

    Raises:
        RunFolderError: a file is missing or broken.
    """
    folder = Path(folder)
    model = folder / "model.keras"
    if not model.is_file():
        raise RunFolderError(
            f"{model}: no such file; expected a finished run of python -m train.run"
        )
    return TrainingRun(
        model=model,
        sha256=hashlib.sha256(model.read_bytes()).hexdigest(),
        record=_read_record(folder / "run.json"),
        calibration=_read_faces(folder / "calibration.npz"),
        validation=_read_faces(folder / "validation.npz"),
    )


def _read_record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{path}: cannot be read ({error})") from error
    if not isinstance(record, dict) or not {"recipe", "data_sha256"} <= record.keys():
        raise RunFolderError(f"{path}: expected an object with recipe and data_sha256")
    return record


def _read_faces(path: Path) -> FaceSet:
    try:
        with np.load(path) as arrays:
            return FaceSet(arrays["faces"], arrays["keypoints"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise RunFolderError(f"{path}: cannot be read as faces and keypoints ({error})") from error
