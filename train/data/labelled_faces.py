"""Padded crops with 15 keypoints and 68 points: the training data of the residual networks.

Legend: N crops, P side of a padded crop (192).
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import first_line
from edge.files import write_atomically
from edge.geometry.affine import Matrix, compose, crop_matrix
from edge.geometry.points68 import COUNT_68
from edge.keypoints import KEYPOINT_NAMES
from train.data.faces import SIDE
from train.errors import DataError

MARGIN = 48  # px on each side, so that a rotated or shifted crop shows its own surroundings
PADDED = SIDE + 2 * MARGIN
_HELD_OUT_INTERVAL = 14  # one group in 14, about 7 %, is held out
_JPEG_QUALITY = 92


@dataclass(frozen=True, slots=True)
class LabelledFaces:
    """Padded crops and their labels.

    Attributes:
        images: uint8 `(N, P, P)`, grey; a face fills the central 96×96 px as in Kaggle's images.
        keypoints: float32 `(N, 15, 2)`, px of the padded crop, NaN where not labelled.
        points68: float32 `(N, 68, 2)`, likewise.
        roll_deg: float32 `(N,)`, in-plane rotation of the face, clockwise as seen.
        is_face: bool `(N,)`.
        turned: bool `(N,)`, whether the crop was rendered from a mesh after a rotation out of the
            image plane, or with moved eyelids or lips.
        groups: `(N,)`, the person or photo; a split does not divide a group.
        sources: `(N,)`, the name of the set.
    """

    images: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    points68: NDArray[np.float32]
    roll_deg: NDArray[np.float32]
    is_face: NDArray[np.bool_]
    turned: NDArray[np.bool_]
    groups: NDArray[np.str_]
    sources: NDArray[np.str_]

    def __len__(self) -> int:
        """The number of crops."""
        return len(self.images)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> LabelledFaces:
        """The crops at `rows` (indices or a mask)."""
        return LabelledFaces(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which crops have all 15 keypoints, `(N,)`."""
        return np.asarray(~np.isnan(self.keypoints).any(axis=(1, 2)))


def padded_crop_matrix(square: NDArray[np.float64]) -> Matrix:
    """The matrix from px of a photo to px of the padded crop whose centre shows `square`."""
    offset = np.array([[1.0, 0.0, MARGIN], [0.0, 1.0, MARGIN]])
    return compose(offset, crop_matrix(square, SIDE))


def unlabelled_crop(image: NDArray[np.uint8], is_face: bool, group: str) -> LabelledFaces:
    """One padded crop `(P, P)` without points; the set is the first word of `group`."""
    return LabelledFaces(
        images=image[None],
        keypoints=np.full((1, len(KEYPOINT_NAMES), 2), np.nan, np.float32),
        points68=np.full((1, COUNT_68, 2), np.nan, np.float32),
        roll_deg=np.zeros(1, np.float32),
        is_face=np.full(1, is_face),
        turned=np.zeros(1, bool),
        groups=np.array([group]),
        sources=np.array([group.split()[0]]),
    )


def join_labelled(parts: Sequence[LabelledFaces]) -> LabelledFaces:
    """Concatenate sets, in order; no sets give no crops."""
    if not parts:
        return unlabelled_crop(np.zeros((PADDED, PADDED), np.uint8), False, "none").take(
            np.zeros(0, np.int64)
        )
    columns = ([getattr(part, f.name) for part in parts] for f in fields(LabelledFaces))
    return LabelledFaces(*(np.concatenate(column) for column in columns))


def are_held_out(faces: LabelledFaces) -> NDArray[np.bool_]:
    """Which crops are held out for validation and calibration, `(N,)`: about 7 % of the groups.

    The hash of the group's name decides, so every run holds out the same groups.
    """
    digests = (hashlib.sha256(str(group).encode()).digest() for group in faces.groups)
    return np.array([digest[0] % _HELD_OUT_INTERVAL == 0 for digest in digests], bool)


def save_labelled(faces: LabelledFaces, path: Path) -> None:
    """Write crops to an `.npz` file atomically, with JPEG-compressed images."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    files = [np.asarray(cv2.imencode(".jpg", image, quality)[1]).ravel() for image in faces.images]
    columns = {f.name: getattr(faces, f.name) for f in fields(faces) if f.name != "images"}
    ends = np.cumsum([len(jpeg) for jpeg in files])
    with write_atomically(path) as part:
        np.savez(part, jpeg=np.concatenate(files), ends=ends, **columns)


def load_labelled(path: str | Path) -> LabelledFaces:
    """Read a file of `save_labelled`.

    Raises:
        DataError: the file is missing or malformed.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            files = np.split(arrays["jpeg"], arrays["ends"][:-1])
            names = [f.name for f in fields(LabelledFaces) if f.name != "images"]
            columns = {name: arrays[name] for name in names}
        images = [np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE), np.uint8) for jpeg in files]
        return LabelledFaces(images=np.stack(images), **columns)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, cv2.error,
            zipfile.BadZipFile) as error:  # fmt: skip
        raise DataError(
            f"{path}: not a file of labelled faces ({first_line(error)}); "
            "create one with python -m train.prepare --recipe keypoints"
        ) from error
