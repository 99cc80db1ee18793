"""Random views of faces with known visibility: covered, badly framed, blurred, dark, small.

Legend: N views, S side of a crop (48), P side of a padded crop (192), K keypoints (15).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Matrix, compose
from edge.geometry.keypoint_frame import upright_matrix
from edge.geometry.similarity import similarity
from edge.keypoints import MIRROR_ORDER
from edge.networks.visibility_model import SIDE
from train.data import faces as prepared
from train.data.augmentation import Augmentation, change_light, mirror, warp
from train.visibility.faces import BareFace
from train.visibility.layer import Grey, Scene, compose_layer, hidden_shares
from train.visibility.network import UNKNOWN
from train.visibility.occluders import DISTRACTIONS, OCCLUDERS, draw_kind

_LIGHT = Augmentation(
    contrast=0.3, brightness=25, gamma=0.25, shade=0.2, low_resolution=0.25, compress=0.3, blur=1.2,
    noise=8, repairs=0, erase=0,
)  # fmt: skip
_FRAMES = 2  # of each covered face
# Errors of the frame, which follows from predicted keypoints: of covered faces they are worse.
_ROLL_DEG, _LOG_SCALE, _SHIFT = 4.0, 0.07, 0.03
# Shares of views with something that hides nothing, with one thing that hides, and with two.
_DISTRACTED, _COVERED, _COVERED_TWICE = 0.25, 0.6, 0.08
_COVERED_SELF = 0.4  # of faces that are turned or masked, one thing that hides


@dataclass(frozen=True, slots=True)
class Pictures:
    """Textures of occluders: pictures of other things and people, uint8 `(P, P)` each."""

    patches: list[Grey]
    faces: list[Grey]


@dataclass(frozen=True, slots=True)
class Views:
    """Crops of faces and what is seen of them.

    Attributes:
        crops: uint8 `(N, S, S)`, grey.
        seen: float32 `(N, K)`, 1 where the keypoint is seen, 0 where hidden, `UNKNOWN`.
        kinds: the first occluder of each face, `(N,)`; else the kind of the face.
    """

    crops: NDArray[np.uint8]
    seen: NDArray[np.float32]
    kinds: NDArray[np.str_]

    def __len__(self) -> int:
        """The number of views."""
        return len(self.crops)


def draw_views(
    faces: Iterable[BareFace],
    pictures: Pictures,
    per_face: Mapping[str, int],
    rng: np.random.Generator,
) -> Views:
    """Draw views of faces; none of no faces.

    Args:
        faces: to draw.
        pictures: what they are covered with.
        per_face: number of occlusions of each, by its kind; all are framed twice then.
        rng: of the views.
    """
    crops, seen, kinds = [], [], []
    for face in faces:
        for _ in range(per_face[face.kind]):
            covered, kind = cover_face(face, pictures, rng)
            for _ in range(_FRAMES):
                crop, label = frame(covered, rng)
                crops.append(crop)
                seen.append(label)
                kinds.append(kind)
    shape = (len(crops), SIDE, SIDE)
    return Views(
        np.array(crops, np.uint8).reshape(shape),
        np.array(seen, np.float32).reshape(len(crops), len(MIRROR_ORDER)),
        np.array(kinds, np.str_),
    )


def cover_face(
    face: BareFace, pictures: Pictures, rng: np.random.Generator
) -> tuple[BareFace, str]:
    """A face, occluded or not, and the kind of the view."""
    image, seen, kind = face.image, face.seen, face.kind
    for name in draw_kinds(face.kind, rng):
        draw = (OCCLUDERS | DISTRACTIONS)[name][0]
        scene = Scene(image, face.keypoints, pictures.patches, pictures.faces)
        layer = draw(scene, rng)
        image = compose_layer(image, layer, rng)
        seen = cover(seen, hidden_shares(layer, face.keypoints))
        kind = name if name in OCCLUDERS or kind == "photo" else kind
    return replace(face, image=image, seen=seen), kind


def draw_kinds(face_kind: str, rng: np.random.Generator) -> list[str]:
    """The names of the occluders of a face of a kind, from below upwards."""
    kinds = [draw_kind(DISTRACTIONS, rng)] if rng.random() < _DISTRACTED else []
    share, covered = rng.random(), _COVERED if face_kind == "photo" else _COVERED_SELF
    if share < covered:
        kinds.append(draw_kind(OCCLUDERS, rng))
    if share < _COVERED_TWICE:
        kinds.append(draw_kind(OCCLUDERS, rng))
    return kinds


def cover(seen: NDArray[np.float32], hidden: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is seen `(K,)` of a face after a part of it has been hidden, as shares `(K,)`.

    Of what was unknown before, only what is wholly hidden is known.
    """
    covered = np.where(hidden == 1, 0, UNKNOWN)
    return np.where(seen == UNKNOWN, covered, seen * (1 - hidden)).astype(np.float32)


def frame(face: BareFace, rng: np.random.Generator) -> tuple[Grey, NDArray[np.float32]]:
    """The crop `(S, S)` of a face, framed with random errors and in another light, and its labels.

    Half of them are mirrored.
    """
    image, keypoints, seen = face.image, face.keypoints, face.seen
    if rng.random() < 0.5:
        image, keypoints = mirror(image, keypoints)
        seen = seen[list(MIRROR_ORDER)]
    size = prepared.SIDE
    upright = upright_matrix(keypoints, size)
    assert upright is not None, "the keypoints of a padded crop frame a face"
    crop = change_light(warp(image, compose(_frame_error(size, rng), upright)), _LIGHT, rng)
    small = cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), seen


def _frame_error(size: int, rng: np.random.Generator) -> Matrix:
    centre = (size - 1) / 2
    scale, angle = float(np.exp(rng.normal(0, _LOG_SCALE))), float(rng.normal(0, _ROLL_DEG))
    x, y = (centre + rng.normal(0, _SHIFT * size, 2)).tolist()
    return similarity(scale, angle, (centre, centre), (x, y))
