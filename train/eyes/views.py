"""Random views of eyes with known opening: lids moved, small, compressed, noisy, off-centre.

Legend: N views, S side of a patch (32).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.crop import cut
from edge.geometry.affine import compose, transform
from edge.geometry.eye_frame import EYE_WIDTH, PATCH, eye_matrices, mirrored
from edge.geometry.points68 import COUNT_68
from edge.image import Grey, load_grey
from edge.keypoints import KEYPOINT_NAMES
from train.data.labelled_sources import read_rows
from train.errors import DataError
from train.eyes.lids import LidLook, Lids, close_eye, lids_of_mesh, opening_68

_MESH_UNITS_PER_PX = 8  # of the integers in mesh.npz
_ZOOM = 2.0  # of a source picture over a patch
_MARGIN = 1.5  # side of a source picture over that of a patch
_SOURCE = int(_ZOOM * _MARGIN * PATCH)
_SMALLEST_EYE = 4.0  # px between the corners in the smallest faces, 23 px wide
_BLOCK = 8  # px, side of JPEG's blocks
_GLASSES = 0.08  # of the views
_WIDEST = 0.3  # of its opening, by which an eye is opened wider
_USUAL_OPENING = 0.345  # by the 68 points
# px between the corners, below which nothing is learnt of how far a person opens the eyes, and
# above which all is: faces 35 and 64 px wide.
_UNKNOWN_EYE = (6.0, 11.0)
_NARROW = 0.15  # openings below it are not closed further: the mesh says little of such lids
_HELD_OUT = 10  # every tenth photo is not trained on


@dataclass(frozen=True, slots=True)
class Eye:
    """One eye of a photo, as a right eye.

    Attributes:
        picture: uint8 `(H, W)`, the eye in its middle, larger and wider than a patch.
        lids: the mesh's, px of the picture.
        patch: uint8 `(S, S)`, as it is.
        opening68: how far it is open by the 68 points.
    """

    picture: NDArray[np.uint8]
    lids: Lids
    patch: NDArray[np.uint8]
    opening68: float


@dataclass(frozen=True, slots=True)
class EyeViews:
    """Patches of eyes and how far they are open.

    Attributes:
        patches: uint8 `(N, S, S)`, grey, as right eyes.
        opening: float32 `(N,)`, lid distance over the distance between the corners: that of the 68
            points, times what moving the lids has left of it.
        target: float32 `(N,)`, what the network learns of it, see `View`.
        is_held_out: bool `(N,)`, of photos that are not trained on.
        plain: uint8 `(E, S, S)`, each eye as it is.
        opening68: float32 `(E,)`, how far those are open by the 68 points.
    """

    patches: NDArray[np.uint8]
    opening: NDArray[np.float32]
    target: NDArray[np.float32]
    is_held_out: NDArray[np.bool_]
    plain: NDArray[np.uint8]
    opening68: NDArray[np.float32]


def read_views(folder: Path, per_eye: int, rng: np.random.Generator) -> EyeViews:
    """Draw views of all eyes of `permissive/`.

    Args:
        folder: with `annotations.jsonl` and `mesh.npz`.
        per_eye: views of each eye.
        rng: of the views.

    Raises:
        DataError: a file is missing or malformed, or no face is labelled.
        ImageError: a photo cannot be decoded.
        OSError: a photo is missing.
    """
    views: list[View] = []
    held_out: list[bool] = []
    eyes: list[Eye] = []
    for number, eye in enumerate_eyes(folder):
        eyes.append(replace(eye, picture=eye.patch))  # the larger pictures are no longer needed
        for _ in range(per_eye):
            views.append(draw_view(eye, rng))
            held_out.append(number % _HELD_OUT == 0)
    if not views:
        raise DataError(f"{folder}: no face has a mesh")
    return EyeViews(
        np.stack([view.patch for view in views]),
        np.array([view.opening for view in views], np.float32),
        np.array([view.target for view in views], np.float32),
        np.array(held_out),
        np.stack([eye.patch for eye in eyes]),
        np.array([eye.opening68 for eye in eyes], np.float32),
    )


def enumerate_eyes(folder: Path) -> Iterator[tuple[int, Eye]]:
    """All eyes, each with the number of its photo; errors as of `read_views`."""
    with np.load(folder / "mesh.npz") as file:
        meshes = file["mesh"]
    for number, (where, row) in enumerate(read_rows(folder)):
        try:
            faces = [_points(face, meshes) for face in row["faces"]]
        except (KeyError, IndexError, TypeError) as error:
            raise DataError(f"{where}: not a valid annotation ({error!r})") from error
        if faces:
            grey = load_grey(folder / row["image"])
            for face in faces:
                yield from ((number, eye) for eye in _eyes(grey, face))


@dataclass(frozen=True, slots=True)
class _Points:
    """The points of a face, px of its photo: `(15, 2)`, `(68, 2)` and the mesh `(478, 2)`."""

    keypoints: NDArray[np.float64]
    points68: NDArray[np.float64]
    mesh: NDArray[np.float64]


def _points(face: dict[str, Any], meshes: NDArray[np.integer]) -> _Points:
    return _Points(
        np.array([face["teacher"][name] for name in KEYPOINT_NAMES], np.float64),
        np.array(face["teacher68"], np.float64).reshape(COUNT_68, 2),
        meshes[face["mesh"]][:, :2] / _MESH_UNITS_PER_PX,
    )


def _eyes(grey: Grey, face: _Points) -> Iterator[Eye]:
    matrices = eye_matrices(face.keypoints)
    if matrices is None:
        return
    offset = (_SOURCE - 1) / 2 - _ZOOM * (PATCH - 1) / 2
    zoom = np.array([[_ZOOM, 0.0, offset], [0.0, _ZOOM, offset]])
    for side, matrix in enumerate(matrices):
        to_source = compose(zoom, matrix)
        picture, patch = cut(grey, to_source, _SOURCE), cut(grey, matrix, PATCH)
        mesh = transform(to_source, face.mesh)
        if side == 1:
            picture, patch = mirrored(picture), mirrored(patch)
            mesh[:, 0] = _SOURCE - 1 - mesh[:, 0]
        yield Eye(picture, lids_of_mesh(mesh, side), patch, opening_68(face.points68, side))


@dataclass(frozen=True, slots=True)
class View:
    """A random view of an eye.

    Attributes:
        patch: uint8 `(S, S)`.
        opening: how far the eye in it is open.
        target: what the network learns of it, see `_target`.
    """

    patch: NDArray[np.uint8]
    opening: float
    target: float


def draw_view(eye: Eye, rng: np.random.Generator) -> View:
    """A random view of an eye."""
    closure = _draw_closure(rng) if min(eye.lids.opening, eye.opening68) >= _NARROW else 0.0
    picture = eye.picture
    if closure:
        look = LidLook(rng.uniform(-0.2, 0.05), rng.uniform(0, 0.6), rng.uniform(0.02, 0.08))
        picture = close_eye(picture, eye.lids, closure, look)
    if rng.random() < _GLASSES:
        picture = _wear_glasses(picture, rng)
    image, scale = degrade(picture, rng)
    patch = _change_light(_place(image, scale, rng), rng)
    target = _target(eye.opening68, scale * _ZOOM * EYE_WIDTH) * (1 - closure)
    return View(patch, eye.opening68 * (1 - closure), target)


def _target(opening: float, eye_px: float) -> float:
    """What is learnt of an eye that is as the photo shows it: in small faces the usual opening.

    How far this person opens the eyes can hardly be seen there. A guess of it changes with the
    place of the face among the pixels, and that noise hides blinks.
    """
    if opening < _NARROW:
        return opening
    low, high = np.log(_UNKNOWN_EYE)
    known = float(np.clip((np.log(eye_px) - low) / (high - low), 0, 1))
    return _USUAL_OPENING + known * (opening - _USUAL_OPENING)


def _draw_closure(rng: np.random.Generator) -> float:
    """As it is, anything in between, nearly closed, or narrowed and widened a little."""
    kind = rng.random()
    if kind < 0.4:
        return 0.0
    if kind < 0.65:
        return float(rng.uniform(0.0, 1.0))
    return float(rng.uniform(0.85, 1.0) if kind < 0.8 else rng.uniform(-_WIDEST, _WIDEST))


def _wear_glasses(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A source picture behind tinted or clear glasses, which reflect light."""
    image = picture.astype(np.float32)
    if rng.random() < 0.5:
        image = rng.uniform(5, 50) + rng.uniform(0.15, 0.7) * image
    glare = np.zeros_like(image)
    for _ in range(int(rng.integers(0, 3))):
        centre = rng.uniform(0, len(image), 2).round().astype(int).tolist()
        axes = rng.uniform(1, len(image) / 5, 2).round().astype(int).tolist()
        cv2.ellipse(glare, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
    glare = np.asarray(cv2.GaussianBlur(glare, (0, 0), rng.uniform(0.5, 4.0)), np.float32)
    image += rng.uniform(0.2, 1.0) * glare * (255 - image)
    return np.clip(image, 0, 255).astype(np.uint8)


def degrade(
    picture: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], float]:
    """A source picture as a camera shows it smaller, and its scale."""
    full = _ZOOM * EYE_WIDTH
    eye_px = float(np.exp(rng.uniform(np.log(_SMALLEST_EYE), np.log(1.1 * EYE_WIDTH))))
    side = max(8, round(_SOURCE * eye_px / full))
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    if rng.random() < 0.4:
        small = np.asarray(cv2.GaussianBlur(small, (0, 0), rng.uniform(0.3, 1.0)), np.float32)
    if rng.random() < 0.15:
        length = int(rng.integers(2, 4))
        size = (length, 1) if rng.random() < 0.5 else (1, length)
        small = np.asarray(cv2.blur(small, size), np.float32)
    if rng.random() < 0.15:  # as cameras sharpen
        soft = np.asarray(cv2.GaussianBlur(small, (0, 0), 1.0), np.float32)
        small = small + float(rng.uniform(0.2, 1.0)) * (small - soft)
    if rng.random() < 0.7:
        noise = np.asarray(rng.normal(0, rng.uniform(0.5, 8.0), small.shape), np.float32)
        small = small + noise
    image = np.clip(np.round(small), 0, 255).astype(np.uint8)
    return (_compress(image, rng) if rng.random() < 0.6 else image), side / _SOURCE


def _compress(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """As a part of a larger picture is compressed, whose blocks lie anywhere."""
    top, left = rng.integers(0, _BLOCK, 2).tolist()
    padded = np.pad(image, ((top, 0), (left, 0)), mode="edge")
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))]
    _, data = cv2.imencode(".jpg", padded, quality)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)[top:, left:]


def _place(image: NDArray[np.uint8], scale: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The patch `(S, S)` of an eye in the middle of an image, framed with random errors."""
    eye_px = scale * _ZOOM * EYE_WIDTH
    zoom = EYE_WIDTH / eye_px * float(np.exp(rng.normal(0, 0.04)))
    angle = np.radians(rng.normal(0, 2.0))
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    # Keypoints of small faces are off by more.
    shift = rng.normal(0, 0.5 + 4.0 / eye_px, 2)
    centre = np.array([(image.shape[0] - 1) / 2] * 2)
    matrix = np.column_stack([turn, (PATCH - 1) / 2 + shift - turn @ centre])
    return np.asarray(
        cv2.warpAffine(
            image, matrix, (PATCH, PATCH), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    )


def _change_light(patch: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    values = (patch / 255.0) ** np.exp(rng.normal(0, 0.25))
    values = (values - values.mean()) * np.exp(rng.normal(0, 0.2)) + values.mean()
    values = 255 * (values + rng.normal(0, 0.08))
    return np.asarray(np.clip(np.round(values), 0, 255), np.uint8)
