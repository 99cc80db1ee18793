"""What export reads: the files of a training run.

A run that is kept without the pictures of its faces, which may not be passed on, names them in
`sets.json`, by source and row; they are then taken from a file of prepared faces.
"""

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

_SIDE = 96  # px, of the crop in the middle of each prepared picture
_PICTURES = 160  # of a detector's training, to take ranges from and to compare on
_SETS = ("calibration", "validation")
_BROKEN = (EOFError, zipfile.BadZipFile)  # what numpy raises for a file that is cut off


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
        prepared_anew: whether they are from another file than the run was trained on.
    """

    model: Path
    sha256: str
    record: dict[str, Any]
    calibration: FaceSet
    validation: FaceSet
    prepared_anew: bool = False


def read_detector_run(folder: str | Path) -> tuple[Path, str, dict[str, Any]] | None:
    """The `model.keras`, its SHA-256 and `run.json` of a detector's run; None for another run's.

    Raises:
        RunFolderError: a file is missing or broken.
    """
    model, record = Path(folder) / "model.keras", _read_record(Path(folder) / "run.json")
    if record.get("kind") != "detector":
        return None
    return model, _hash(model), record


def read_run(folder: str | Path, prepared: str | Path | None = None) -> TrainingRun:
    """Read a training run's folder.

    Args:
        folder: of a finished run.
        prepared: the prepared faces (`.npz`) it was trained on, where it is kept without pictures;
            prepared anew, they differ in the last bits.

    Raises:
        RunFolderError: a file is missing or broken.
    """
    folder = Path(folder)
    model = folder / "model.keras"
    sha256 = _hash(model)
    record = _read_record(folder / "run.json")
    if prepared is None:
        calibration, validation = (_read_faces(folder / f"{name}.npz") for name in _SETS)
        return TrainingRun(model, sha256, record, calibration, validation)
    calibration, validation = _find_faces(folder / "sets.json", Path(prepared))
    known = hashlib.sha256(Path(prepared).read_bytes()).hexdigest()
    anew = known not in record["data_sha256"].values()
    return TrainingRun(model, sha256, record, calibration, validation, anew)


def read_pictures(prepared: str | Path, record: dict[str, Any]) -> list[NDArray[np.uint8]]:
    """Some of the photos that a detector was trained on, uint8 `(H, W)` each, spread over all.

    Args:
        prepared: the prepared photos (`.npz`) of `python -m train.prepare --recipe face`.
        record: of the run.

    Raises:
        RunFolderError: it is another file, or cannot be read.
    """
    prepared = Path(prepared)
    try:
        if hashlib.sha256(prepared.read_bytes()).hexdigest() not in record["data_sha256"].values():
            raise RunFolderError(f"{prepared}: is not the file that the run was trained on")
        with prepared.open("rb") as file, np.load(file) as arrays:
            pixels, shapes = arrays["pixels"], arrays["shapes"]
    except (OSError, ValueError, KeyError, *_BROKEN) as error:
        raise RunFolderError(f"{prepared}: cannot be read as photos ({error!r})") from error
    ends = np.cumsum(shapes.prod(axis=1))
    some = range(0, len(shapes), -(-len(shapes) // _PICTURES))
    return [pixels[ends[i] - shapes[i].prod() : ends[i]].reshape(shapes[i]) for i in some]


def _hash(model: Path) -> str:
    if not model.is_file():
        raise RunFolderError(
            f"{model}: no such file; expected a finished run of python -m train.run"
        )
    return hashlib.sha256(model.read_bytes()).hexdigest()


def _read_record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{path}: cannot be read ({error})") from error
    if not isinstance(record, dict) or not {"recipe", "data_sha256"} <= record.keys():
        raise RunFolderError(f"{path}: expected an object with recipe and data_sha256")
    return record


def _find_faces(which: Path, prepared: Path) -> list[FaceSet]:
    try:
        names = json.loads(which.read_text(encoding="utf-8"))
        with prepared.open("rb") as file, np.load(file) as arrays:
            pairs = zip(arrays["sources"].tolist(), arrays["ids"].tolist(), strict=True)
            row_of = {pair: row for row, pair in enumerate(pairs)}
            images, keypoints = arrays["images"], arrays["keypoints"]
        rows = [[row_of[tuple(pair)] for pair in names[name]] for name in _SETS]
    except (OSError, ValueError, KeyError, TypeError, *_BROKEN) as error:
        raise RunFolderError(f"{prepared}: has no faces named in {which} ({error!r})") from error
    margin, odd = divmod(images.shape[-1] - _SIDE, 2)
    if images.dtype != np.uint8 or images.ndim != 3 or margin < 0 or odd:
        raise RunFolderError(
            f"{prepared}: expected uint8 pictures of at least {_SIDE}×{_SIDE} px, received "
            f"{images.dtype} of shape {images.shape}"
        )
    inner = slice(margin, margin + _SIDE)
    return [FaceSet(images[some, inner, inner], keypoints[some] - margin) for some in rows]


def _read_faces(path: Path) -> FaceSet:
    try:
        with path.open("rb") as file, np.load(file) as arrays:
            return FaceSet(arrays["faces"], arrays["keypoints"])
    except (OSError, ValueError, KeyError, *_BROKEN) as error:
        raise RunFolderError(f"{path}: cannot be read as faces and keypoints ({error})") from error
