"""The faces that are occluded: photos, renderings from other directions, and real masks.

Legend: N faces, P side of a padded crop (192), K keypoints (15).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.crop import cut
from edge.facekeypoints import FaceKeypoints
from edge.geometry.affine import transform
from edge.geometry.keypoint_frame import face_square
from edge.image import load_grey
from edge.keypoints import KEYPOINT_NAMES
from train.data.face_mesh import FACE_VERTICES, mean_mesh, rotate_upright
from train.data.head_turns import HeadTurner, Turn
from train.data.labelled_faces import PADDED, LabelledFaces, are_held_out, padded_crop_matrix
from train.data.labelled_sources import read_training_rows
from train.visibility.layer import Grey
from train.visibility.network import UNKNOWN
from train.visibility.self_occlusion import SelfOcclusion

_MAX_YAW_DEG, _MAX_PITCH_DEG = 75.0, 30.0  # of a rendered face; those of a photo are less
_MIN_MASKED_PX = 24.0  # shorter side of a box of a face with a mask
# What the labels of facemask say: keypoints that are seen (1) or hidden (0); of others nothing.
_MOUTH = ("mouth_center_top_lip", "mouth_center_bottom_lip")
_CORNERS = ("mouth_left_corner", "mouth_right_corner")
_LABELS = {
    "with_mask": dict.fromkeys(("nose_tip", *_MOUTH, *_CORNERS), 0.0),
    "mask_weared_incorrect": dict.fromkeys((*_MOUTH, *_CORNERS), 0.0),
    "without_mask": dict.fromkeys(("nose_tip", *_MOUTH), 1.0),
}


@dataclass(frozen=True, slots=True)
class BareFace:
    """A face before it is occluded.

    Attributes:
        kind: `photo`, `turned` or `facemask`.
        image: uint8 `(P, P)`, a padded crop.
        keypoints: float32 `(K, 2)`, px of it.
        seen: float32 `(K,)`: 1 where the keypoint is seen, 0 where not, `UNKNOWN`.
        is_held_out: whether it is not trained on.
    """

    kind: str
    image: Grey
    keypoints: NDArray[np.float32]
    seen: NDArray[np.float32]
    is_held_out: bool


def bare_faces(
    faces: LabelledFaces, mesh: NDArray[np.float32], turns: float, rng: np.random.Generator
) -> Iterator[BareFace]:
    """All faces as they are, and each rendered from other directions.

    Args:
        faces: with their keypoints.
        mesh: float32 `(N, 478, 3)`, as of `train.data.labelled_sources.read_permissive`.
        turns: renderings of each in the mean.
        rng: of the directions.
    """
    turner = HeadTurner(faces, mesh)
    upright = rotate_upright(faces.keypoints, faces.keypoints).mean(axis=0)
    mean = mean_mesh(mesh[:, :FACE_VERTICES], faces.keypoints)
    is_hidden = SelfOcclusion(turner.triangles, mean, upright)
    held_out = are_held_out(faces).tolist()
    for row in range(len(faces)):
        vertices = turner.scaled_mesh(row)
        hidden = is_hidden(vertices, faces.keypoints[row])
        yield _bare("photo", faces.images[row], faces.keypoints[row], hidden, held_out[row])
        for _ in range(int(turns + rng.random())):
            face = turner.render(row, _draw_turn(turner.yaw_deg(row), rng))
            if face is not None:
                hidden = is_hidden(face.vertices, face.keypoints)
                yield _bare("turned", face.image, face.keypoints, hidden, held_out[row])


def _bare(
    kind: str,
    image: Grey,
    keypoints: NDArray[np.float32],
    hidden: NDArray[np.bool_],
    is_held_out: bool,
) -> BareFace:
    return BareFace(kind, image, keypoints, 1 - hidden.astype(np.float32), is_held_out)


def _draw_turn(yaw_deg: float, rng: np.random.Generator) -> Turn:
    """A turn to one side, in which a part of the face is often hidden; on, where it is turned."""
    side = np.sign(yaw_deg) if abs(yaw_deg) > 8 else rng.choice([-1.0, 1.0])
    yaw = max(rng.uniform(10, _MAX_YAW_DEG) - abs(yaw_deg), 0.0)
    pitch = float(np.clip(rng.normal(0, 10), -_MAX_PITCH_DEG, _MAX_PITCH_DEG))
    jaw_opening = rng.uniform(0.08, 0.5) if rng.random() < 0.15 else 0.0
    return Turn(float(side * yaw), pitch, (0.0, 0.0), jaw_opening, rng.uniform(8, 60))


def masked_faces(folder: Path) -> Iterator[BareFace]:
    """Faces of `facemask/` with real masks and without, framed by their keypoints.

    The photos reserved for `benchmarks` are left out.

    Raises:
        DataError, ImageError, OSError: as `train.data.labelled_sources.read_boxed`.
    """
    detect = FaceKeypoints(precision="fp32")
    for row in read_training_rows(folder):
        marked = [
            face
            for face in row["faces"]
            if face.get("label") in _LABELS and min(face["box"][2:]) >= _MIN_MASKED_PX
        ]
        grey = load_grey(folder / row["image"])
        found = detect.faces_at(grey, [face["box"] for face in marked]) if marked else []
        for label, face in zip(marked, found, strict=True):
            square = face_square(face.keypoints)
            if square is None:
                continue
            matrix = padded_crop_matrix(square)
            known = _LABELS[label["label"]]
            seen = np.array([known.get(name, UNKNOWN) for name in KEYPOINT_NAMES], np.float32)
            keypoints = transform(matrix, face.keypoints).astype(np.float32)
            yield BareFace("facemask", cut(grey, matrix, PADDED), keypoints, seen, False)
