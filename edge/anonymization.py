"""Faces made unrecognisable, for people who use a camera where others are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edge.face import Face
from edge.geometry.affine import Matrix, crop_matrix, invert, transform
from edge.geometry.face_frame import CROP, fit_mean_face, square_of_box
from edge.image import Rgb

PARTS = ("face", "eyes")
_CELLS = 4  # across a face: too few to tell whose it is
# In the mean face's crop: x and y of the middle, half the width and half the height, px. A face's
# box ends at hair line and ears, what is hidden does not.
_MIDDLE = (CROP - 1) / 2
_FACE = (_MIDDLE, _MIDDLE - 3, 49.0, 64.0)
_EYES = (_MIDDLE, 34.0, 46.0, 15.0)
_CORNERS = 48  # of the outline


def hide(image: Rgb, faces: Sequence[Face], part: str = "face") -> Rgb:
    """Make faces unrecognisable on a copy of a picture.

    What is hidden is averaged over a few cells, so nobody can compute it back. Faces that were not
    found are not hidden.

    Args:
        image: uint8 `(H, W, 3)`, RGB, the picture the faces were found in.
        faces: whom to hide.
        part: "face", from above the hair line to below the chin; or "eyes", with the brows.

    Returns:
        uint8 `(H, W, 3)`, RGB.

    Raises:
        ValueError: `part` is neither.
    """
    if part not in PARTS:
        raise ValueError(f"part must be one of {', '.join(PARTS)}, received {part!r}")
    canvas = Image.fromarray(image)
    for face in faces:
        outline = _outline(face, part)
        _blur_inside(canvas, outline)
    return np.array(canvas)


def _outline(face: Face, part: str) -> NDArray[np.float64]:
    """The corners of what is to be hidden, `(C, 2)` px of the picture."""
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    if part == "eyes":  # a square of the same reach
        circle = circle / np.abs(circle).max(axis=1, keepdims=True)
    matrix = fit_mean_face(face.keypoints)
    x, y, across, down = _FACE if part == "face" else _EYES
    if matrix is None:  # keypoints that lie in one place: hide the box
        matrix = _from_box(face)
    return transform(matrix, circle * [across, down] + [x, y])


def _from_box(face: Face) -> Matrix:
    return invert(crop_matrix(square_of_box(face.box), CROP))


def _blur_inside(canvas: Image.Image, outline: NDArray[np.float64]) -> None:
    low = np.maximum(np.floor(outline.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 1, canvas.size)
    if (high <= low).any():
        return  # outside the picture
    left, top, right, bottom = (int(v) for v in (*low, *high))
    region = canvas.crop((left, top, right, bottom))
    cell = max(1.0, float((outline.max(axis=0) - outline.min(axis=0)).max()) / _CELLS)
    cells = (max(1, round(region.width / cell)), max(1, round(region.height / cell)))
    coarse = region.resize(cells, Image.Resampling.BOX).resize(region.size)
    mask = Image.new("L", region.size)
    corners = [(float(x) - left, float(y) - top) for x, y in outline]
    ImageDraw.Draw(mask).polygon(corners, fill=255)
    canvas.paste(coarse, (left, top), mask)
