"""Anonymization: faces made unrecognisable in a copy of an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edge.face import Face
from edge.formats.arrays import check_rgb
from edge.geometry.affine import crop_matrix, invert, transform
from edge.geometry.face_frame import CROP, fit_mean_face, square_of_box
from edge.image import Rgb

Part = Literal["face", "eyes"]
PARTS: tuple[Part, ...] = get_args(Part)
_CELLS = 4  # across a face: too few to recognise it by
# In the mean face's crop: centre x and y, half the width and half the height, px. A face's box ends
# at hair line and ears; the hidden region extends beyond both.
_CENTRE = (CROP - 1) / 2
_FACE = (_CENTRE, _CENTRE - 3, 49.0, 64.0)
_EYES = (_CENTRE, 34.0, 46.0, 15.0)
_OUTLINE_POINTS = 48


def hide(image: Rgb, faces: Sequence[Face], part: Part = "face") -> Rgb:
    """Make faces unrecognisable in a copy of an image.

    The region is averaged over a few cells, which cannot be reversed. Faces that were not found are
    not hidden.

    Args:
        image: uint8 `(H, W, 3)`, RGB, the image the faces were found in.
        faces: to hide.
        part: "face", from above the hair line to below the chin; or "eyes", with the brows.

    Returns:
        uint8 `(H, W, 3)`, RGB.

    Raises:
        ValueError: `part` is neither.
        ImageError: the image is no such array.
    """
    if part not in PARTS:
        raise ValueError(f"part must be one of {', '.join(PARTS)}, received {part!r}")
    canvas = Image.fromarray(check_rgb(image))
    for face in faces:
        outline = _outline(face, part)
        _blur_inside(canvas, outline)
    return np.array(canvas)


def _outline(face: Face, part: Part) -> NDArray[np.float64]:
    """The polygon of the region to hide, `(C, 2)` px of the image."""
    angle = np.linspace(0, 2 * np.pi, _OUTLINE_POINTS, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    if part == "eyes":  # a square instead of a circle
        circle = circle / np.abs(circle).max(axis=1, keepdims=True)
    x, y, half_width, half_height = _FACE if part == "face" else _EYES
    pose = fit_mean_face(face.keypoints)
    if pose is None:  # the keypoints coincide: hide the box
        pose = invert(crop_matrix(square_of_box(face.box), CROP))
    return transform(pose, circle * [half_width, half_height] + [x, y])


def _blur_inside(canvas: Image.Image, outline: NDArray[np.float64]) -> None:
    low = np.maximum(np.floor(outline.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 1, canvas.size)
    if (high <= low).any():
        return  # outside the image
    left, top, right, bottom = (int(v) for v in (*low, *high))
    region = canvas.crop((left, top, right, bottom))
    cell = max(1.0, float((outline.max(axis=0) - outline.min(axis=0)).max()) / _CELLS)
    cells = (max(1, round(region.width / cell)), max(1, round(region.height / cell)))
    coarse = region.resize(cells, Image.Resampling.BOX).resize(region.size)
    mask = Image.new("L", region.size)
    polygon = [(float(x) - left, float(y) - top) for x, y in outline]
    ImageDraw.Draw(mask).polygon(polygon, fill=255)
    canvas.paste(coarse, (left, top), mask)
