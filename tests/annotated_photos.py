"""Photos of drawn faces with their annotations, for tests of training data."""

import json

import numpy as np
from PIL import Image

from edge.geometry.affine import transform
from edge.geometry.face_frame import MEAN_FACE
from edge.geometry.similarity import similarity
from edge.keypoints import KEYPOINT_NAMES

CENTRES = ((100.0, 90.0), (140.0, 120.0), (90.0, 130.0), (120.0, 100.0), (130.0, 90.0))


def spotted_photo(points, size=(240, 220)):
    """A light photo with a dark spot at each point."""
    y, x = np.mgrid[: size[1], : size[0]]
    away = np.hypot(x[..., None] - points[:, 0], y[..., None] - points[:, 1])
    return np.clip(220 - (150 * np.exp(-((away / 3) ** 2))).sum(axis=-1), 0, 255).astype(np.uint8)


def faces_in_photos():
    """Where the mean face stands in each photo: larger than a crop, and rotated a little."""
    matrices = [similarity(1.5, 5.0 * i, (47.5, 47.5), c) for i, c in enumerate(CENTRES)]
    return [transform(matrix, MEAN_FACE) for matrix in matrices]


def named(points):
    return dict(zip(KEYPOINT_NAMES, np.round(points, 3).tolist(), strict=True))


def write_annotated_photos(folder):
    """Five photos with annotations.jsonl; teacher labels are offset by 1 px, in one photo by 61."""
    """Five photos with annotations.jsonl; the teacher misses by a constant and once altogether."""
    lines = []
    for i, points in enumerate(faces_in_photos()):
        Image.fromarray(spotted_photo(points)).save(folder / f"{i}.png")
        teacher = points + 1.0 + (60 if i == 3 else 0)
        lines.append({"image": f"{i}.png", "source": f"who/Ann_B_{i}.jpg" if i < 2 else f"{i}.png",
                      "keypoints": named(points), "teacher": named(teacher)})  # fmt: skip
    (folder / "annotations.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    return folder
