"""The files of a training run that export reads.

The faces of a run may not be redistributed with it. Such a run names them in `sets.json`, by source
and row number, and they are taken from a file of prepared faces.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from export.errors import RunFolderError

_SIZE = 96  # px, side of the crop in the centre of each prepared image
_MAX_PHOTOS = 160  # of a detector's training photos, for calibration and comparison
_SETS = ("calibration", "validation")
_TRUNCATED = (EOFError, zipfile.BadZipFile)  # what numpy raises for a truncated file


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
    """A finished training run of any network.

    Attributes:
        folder: the run's folder.
        model: path of `model.keras`.
        sha256: of that file, hexadecimal.
        record: the content of `run.json`.
    """

    folder: Path
    model: Path
    sha256: str
    record: dict[str, Any]

    @property
    def is_detector(self) -> bool:
        """Whether the run trained a face detector; else it trained a keypoint network."""
        return bool(self.record.get("kind") == "detector")

    @property
    def is_small(self) -> bool:
        """Whether the run trained the smaller of the two embedded keypoint networks."""
        return bool(self.record["recipe"].get("shape") == "small")


@dataclass(frozen=True, slots=True)
class FaceSets:
    """The faces that a keypoint run set aside.

    Attributes:
        calibration: training faces from which int8 ranges are taken.
        validation: held-out faces on which the exported models are compared.
        is_recreated: whether they are from another file than the run was trained on.
    """

    calibration: FaceSet
    validation: FaceSet
    is_recreated: bool = False


def read_run(folder: str | Path) -> TrainingRun:
    """Read the model and the record of a finished run.

    Raises:
        RunFolderError: a file is missing or broken.
    """
    folder = Path(folder)
    model = folder / "model.keras"
    record = _read_record(folder / "run.json")
    return TrainingRun(folder, model, _hash_model(model), record)


def read_face_sets(run: TrainingRun, prepared: str | Path | None = None) -> FaceSets:
    """Read the calibration and validation faces of a keypoint run.

    Args:
        run: the run.
        prepared: the prepared faces (`.npz`) it was trained on, where the run is kept without
            images. Faces prepared a second time differ in the last bits.

    Raises:
        RunFolderError: a file is missing or broken.
    """
    if prepared is None:
        calibration, validation = (_read_faces(run.folder / f"{name}.npz") for name in _SETS)
        return FaceSets(calibration, validation)
    calibration, validation = _select_faces(run.folder / "sets.json", Path(prepared))
    digest = hashlib.sha256(Path(prepared).read_bytes()).hexdigest()
    return FaceSets(calibration, validation, digest not in run.record["data_sha256"].values())


def read_photos(run: TrainingRun, prepared: str | Path) -> list[NDArray[np.uint8]]:
    """Read evenly spaced training photos of a detector run, at most 160, uint8 `(H, W)` each.

    Args:
        run: the run.
        prepared: the prepared photos (`.npz`) of `python -m train.prepare --recipe face`. Those
            prepared on another processor differ in the last bits, so their number is compared.

    Raises:
        RunFolderError: the file has other photos than the run was trained on, or cannot be read.
    """
    prepared = Path(prepared)
    try:
        with prepared.open("rb") as file, np.load(file) as arrays:
            pixels, shapes = arrays["pixels"], arrays["shapes"]
            sizes = arrays["sizes"] if "sizes" in arrays else shapes.prod(axis=1)
    except (OSError, ValueError, KeyError, *_TRUNCATED) as error:
        raise RunFolderError(f"{prepared}: cannot be read as photos ({error!r})") from error
    expected = run.record.get("photos")
    if len(shapes) != expected:
        raise RunFolderError(
            f"{prepared}: has {len(shapes)} photos, expected the {expected} of the training run"
        )
    parts = np.split(pixels, np.cumsum(sizes)[:-1])
    step = -(-len(shapes) // _MAX_PHOTOS)
    try:
        return [_expand(parts[i], tuple(shapes[i])) for i in range(0, len(shapes), step)]
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{prepared}: a photo cannot be decoded ({error!r})") from error


def _expand(part: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The pixels of a photo, which `train.prepare --webp` compresses."""
    if part.size == np.prod(shape):
        return part.reshape(shape)
    with Image.open(io.BytesIO(part.tobytes()), formats=["WEBP"]) as image:
        return np.asarray(image.convert("L")).reshape(shape)


def _hash_model(model: Path) -> str:
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


def _select_faces(sets: Path, prepared: Path) -> list[FaceSet]:
    """The faces that `sets.json` names, cut to the network's input size."""
    try:
        names = json.loads(sets.read_text(encoding="utf-8"))
        with prepared.open("rb") as file, np.load(file) as arrays:
            pairs = zip(arrays["sources"].tolist(), arrays["ids"].tolist(), strict=True)
            row_of = {pair: row for row, pair in enumerate(pairs)}
            images, keypoints = arrays["images"], arrays["keypoints"]
        rows = [[row_of[tuple(pair)] for pair in names[name]] for name in _SETS]
    except (OSError, ValueError, KeyError, TypeError, *_TRUNCATED) as error:
        raise RunFolderError(f"{prepared}: lacks faces named in {sets} ({error!r})") from error
    margin = _check_margin(images, prepared)
    inner = slice(margin, margin + _SIZE)
    return [FaceSet(images[ids, inner, inner], keypoints[ids] - margin) for ids in rows]


def _check_margin(images: NDArray[np.uint8], prepared: Path) -> int:
    """Pixels around the crop in each prepared image; raises RunFolderError unless it is centred."""
    margin, odd = divmod(int(images.shape[-1]) - _SIZE, 2)
    if images.dtype != np.uint8 or images.ndim != 3 or margin < 0 or odd:
        raise RunFolderError(
            f"{prepared}: expected uint8 images of at least {_SIZE}×{_SIZE} px, received "
            f"{images.dtype} of shape {images.shape}"
        )
    return margin


def _read_faces(path: Path) -> FaceSet:
    try:
        with path.open("rb") as file, np.load(file) as arrays:
            return FaceSet(arrays["faces"], arrays["keypoints"])
    except (OSError, ValueError, KeyError, *_TRUNCATED) as error:
        raise RunFolderError(f"{path}: cannot be read as faces and keypoints ({error})") from error
