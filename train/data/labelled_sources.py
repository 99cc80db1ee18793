"""The training sets of the residual networks, read as padded crops.

`permissive/` contains photos under permissive licences with points and a mesh for each face, and in
`no_face/` photos without faces. `facemask/` contains crowds with a hand-drawn box for each face.

Legend: N faces, P side of a padded crop (192), V mesh vertices (478).
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.crop import cut
from edge.errors import first_line
from edge.geometry.affine import Matrix, scale_of, transform
from edge.geometry.boxes import pairwise_intersection
from edge.geometry.face_frame import roll_deg, square_of_box
from edge.geometry.keypoint_frame import face_square
from edge.geometry.points68 import COUNT_68
from edge.image import Grey, load_image, to_grey
from edge.keypoints import KEYPOINT_NAMES
from train.data.head_turns import HeadTurner, turn_faces
from train.data.labelled_faces import (
    PADDED,
    LabelledFaces,
    join_labelled,
    padded_crop_matrix,
    unlabelled_crop,
)
from train.errors import DataError

_MESH_UNITS_PER_PX = 8  # of the integers in mesh.npz
_MIN_BOX_PX = 18.0  # side of a hand-drawn box; smaller faces have too few pixels
_WINDOWS_PER_PHOTO = 5  # crops without a face
_BENCHMARK_INTERVAL = 5  # every fifth photo of these sets is reserved for `benchmarks`
_TURNS_PER_FACE = 4  # synthetic crops of each face with a mesh


def read_all(folder: Path, seed: int) -> LabelledFaces:
    """Read all training data of a residual network.

    Args:
        folder: contains `permissive/` and `facemask/`.
        seed: of the windows without faces and of the synthetic head rotations.

    Raises:
        DataError: a file is missing or malformed, or no face is labelled.
        ImageError: a photo cannot be decoded.
        OSError: a photo is missing.
    """
    rng = np.random.default_rng(seed)
    faces, mesh = read_permissive(folder / "permissive")
    parts = [
        faces,
        read_boxed(folder / "facemask"),
        read_nonfaces(folder / "permissive" / "no_face", rng),
        read_backgrounds(folder / "facemask", rng),
    ]
    turner = HeadTurner(faces, mesh)
    parts += [turn_faces(turner, rng) for _ in range(_TURNS_PER_FACE)]
    return join_labelled(parts)


def read_permissive(folder: Path) -> tuple[LabelledFaces, NDArray[np.float32]]:
    """Read photos whose `annotations.jsonl` gives each face's points and its row in `mesh.npz`.

    Returns:
        The faces, and their meshes `(N, V, 3)`: x, y px of the padded crop and z in the same unit.

    Raises:
        DataError: a file is missing or malformed, or no face is labelled.
    """
    meshes = _read_meshes(folder / "mesh.npz")
    crops = []
    cropped_meshes = []
    for where, row in read_rows(folder):
        try:
            for crop, mesh in _read_faces(folder, row, meshes):
                crops.append(crop)
                cropped_meshes.append(mesh)
        except (KeyError, IndexError, TypeError) as error:
            raise DataError(f"{where}: not a valid annotation ({error!r})") from error
    if not crops:
        raise DataError(f"{folder}: no face has the keypoints that frame it")
    return join_labelled(crops), np.stack(cropped_meshes)


def _read_faces(
    folder: Path, row: dict[str, Any], meshes: NDArray[np.integer]
) -> Iterator[tuple[LabelledFaces, NDArray[np.float32]]]:
    """The padded crop and the mesh `(V, 3)` of each face of a photo."""
    if not row["faces"]:
        return
    grey = to_grey(load_image(folder / row["image"]))
    for face in row["faces"]:
        keypoints = np.array([face["teacher"][name] for name in KEYPOINT_NAMES], np.float32)
        points68 = np.array(face["teacher68"], np.float32).reshape(COUNT_68, 2)
        square = face_square(keypoints)
        if square is None:
            continue
        matrix = padded_crop_matrix(square)
        mesh = meshes[face["mesh"]].astype(np.float32) / _MESH_UNITS_PER_PX
        depth = mesh[:, 2] * scale_of(matrix)
        cropped = np.column_stack([transform(matrix, mesh[:, :2]), depth]).astype(np.float32)
        yield _labelled_crop(grey, matrix, keypoints, points68, row), cropped


def read_boxed(folder: Path) -> LabelledFaces:
    """Read faces that have only a hand-drawn box, without the photos reserved for `benchmarks`."""
    crops = []
    for row in read_training_rows(folder):
        grey = to_grey(load_image(folder / row["image"]))
        for face in row["faces"]:
            if min(face["box"][2:]) >= _MIN_BOX_PX:
                image = _cut_square(grey, square_of_box(face["box"]))
                crops.append(unlabelled_crop(image, True, f"facemask {row['image']}"))
    return join_labelled(crops)


def read_nonfaces(folder: Path, rng: np.random.Generator) -> LabelledFaces:
    """Cut random windows out of a folder's `.jpg` photos, four in five of them."""
    crops = []
    for number, path in enumerate(sorted(folder.glob("*.jpg"))):
        if _is_reserved(number):
            continue
        grey = to_grey(load_image(path))
        for _ in range(_WINDOWS_PER_PHOTO):
            image = _cut_square(grey, _random_square(grey, (0.15, 0.9), rng))
            crops.append(unlabelled_crop(image, False, f"no_face {path.name}"))
    return join_labelled(crops)


def read_backgrounds(folder: Path, rng: np.random.Generator) -> LabelledFaces:
    """Cut windows without a face out of photos whose faces all have a box."""
    crops = []
    for row in read_training_rows(folder):
        grey = to_grey(load_image(folder / row["image"]))
        boxes = [face["box"] for face in row["faces"]] + [box[:4] for box in row["yunet"]]
        face_boxes = np.array(boxes, np.float64).reshape(-1, 4)
        for _ in range(_WINDOWS_PER_PHOTO):
            square = _random_square(grey, (0.08, 0.5), rng)
            if not pairwise_intersection(square[None], face_boxes).any():
                image = _cut_square(grey, square)
                crops.append(unlabelled_crop(image, False, f"background {row['image']}"))
    return join_labelled(crops)


def _read_meshes(path: Path) -> NDArray[np.integer]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return np.asarray(arrays["mesh"])
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not a file of meshes ({first_line(error)})") from error


def read_rows(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line of `annotations.jsonl` with its place, for error messages."""
    path = folder / "annotations.jsonl"
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text in UTF-8 ({error}); save it as UTF-8") from error
    for number, line in enumerate(lines, 1):
        where = f"{path}: line {number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"{where}: not valid JSON ({error})") from error
        if not isinstance(row, dict) or not isinstance(row.get("faces"), list):
            raise DataError(f"{where}: expected an object with image and a list of faces")
        yield where, row


def read_training_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """The photos with hand-drawn boxes that are not reserved for `benchmarks`."""
    for number, (where, row) in enumerate(read_rows(folder)):
        if not {"image", "yunet"} <= row.keys() or not all("box" in face for face in row["faces"]):
            raise DataError(f"{where}: expected image, yunet, and a box for each face")
        if not _is_reserved(number):
            yield row


def _is_reserved(number: int) -> bool:
    """Whether a photo is reserved for `benchmarks`, by its position in the set."""
    return number % _BENCHMARK_INTERVAL == _BENCHMARK_INTERVAL - 1


def _group(row: dict[str, Any]) -> str:
    source = str(row["source"])
    stem = Path(source.rsplit(":", 1)[-1]).stem
    # Photos of one member of Congress have the same file name.
    return f"{row['set']} {stem if row['set'].startswith('us_congress') else source}"


def _labelled_crop(
    grey: Grey,
    matrix: Matrix,
    keypoints: NDArray[np.float32],
    points68: NDArray[np.float32],
    row: dict[str, Any],
) -> LabelledFaces:
    """The padded crop of a face with keypoints `(15, 2)` and points `(68, 2)`, px of the photo."""
    return LabelledFaces(
        images=cut(grey, matrix, PADDED)[None],
        keypoints=transform(matrix, keypoints)[None].astype(np.float32),
        points68=transform(matrix, points68)[None].astype(np.float32),
        roll_deg=np.array([roll_deg(keypoints)], np.float32),
        is_face=np.ones(1, bool),
        turned=np.zeros(1, bool),
        groups=np.array([_group(row)]),
        sources=np.array([row["set"]]),
    )


def _random_square(
    grey: Grey, side_range: tuple[float, float], rng: np.random.Generator
) -> NDArray[np.float64]:
    """A square inside a photo: x, y, side, side px; its side in parts of the shorter side."""
    height, width = grey.shape
    side = rng.uniform(*side_range) * min(height, width)
    corner = rng.uniform(0, 1, 2) * (width - side, height - side)
    return np.array([*corner, side, side])


def _cut_square(grey: Grey, square: NDArray[np.float64]) -> NDArray[np.uint8]:
    return cut(grey, padded_crop_matrix(square), PADDED)
