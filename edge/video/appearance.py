"""What a face looks like: its template, which tells people apart, and its look, which shows jumps.

A template takes a tenth of the time of a tracked frame, a look a hundredth. From one frame to the
next a face's look hardly changes, except where another face is in its place, as after a cut.

Legend: S side of a template.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.geometry.affine import Similarity
from edge.geometry.face_frame import crop_of_pose
from edge.image import Rgb
from edge.refinement import FacePass

Template = NDArray[np.float32]  # (S, S)
Look = NDArray[np.float32]  # (24, 24), or a whole frame's

_TEMPLATE_SIDE = 48  # px
_PADDING = 12  # px of the template's scale: corners of crops that are rotated by up to 15 degrees
_SHADING_RADIUS = 6  # px, of the local mean that is subtracted
# The local mean of lines, as a matrix; borders are replicated.
_OFFSETS = np.arange(-_SHADING_RADIUS, _SHADING_RADIUS + 1)
_NEIGHBOURS = (np.arange(_TEMPLATE_SIDE)[:, None] + _OFFSETS).clip(0, _TEMPLATE_SIDE - 1)
_BOX_BLUR = (_NEIGHBOURS[..., None] == np.arange(_TEMPLATE_SIDE)).mean(axis=1, dtype=np.float32)
_LOOK_STEP = 4  # px of the crop
_FRAME_SIDE = 32  # px of a whole frame's thumbnail
_CUT_CORRELATION = 0.25  # of two thumbnails, below which there is a cut between them
_CUT_DIFFERENCE = 12.0  # mean difference, grey values, above which there may be one
# Correlations of looks: of one face in successive frames above 0.93, unless its crop is framed in
# another way; of different people in one place below 0.8 (HELEN).
_SAME_LOOK = 0.9


def template_of(face: FacePass) -> Template | None:
    """The appearance template of a face: upright, local mean removed, zero mean, unit norm.

    None where the keypoints coincide or the crop has no texture.
    """
    if face.pose is None:
        return None
    upright = np.asarray(_upright(face, face.pose), np.float32)
    return _normalised(upright - _BOX_BLUR @ upright @ _BOX_BLUR.T)


def _upright(face: FacePass, pose: Similarity) -> Image.Image:
    """The crop of a face at half its size, upright, its border replicated; a template's pixels."""
    half = np.asarray(Image.fromarray(face.crop).reduce(2))
    side = len(half)
    padded = np.empty((side + 2 * _PADDING, side + 2 * _PADDING), np.uint8)
    inner = slice(_PADDING, _PADDING + side)
    padded[inner, inner] = half
    padded[inner, :_PADDING], padded[inner, inner.stop :] = half[:, :1], half[:, -1:]
    padded[:_PADDING], padded[inner.stop :] = padded[_PADDING], padded[inner.stop - 1]
    (factor, offset), (scale, shift) = face.to_crop, crop_of_pose(pose, _TEMPLATE_SIDE)
    # From the template to the image, the crop, its half and the padded half.
    turn = factor / scale / 2
    start = (offset - factor * shift / scale + 0.5 * (1 + 1j)) / 2 + (_PADDING - 0.5) * (1 + 1j)
    # Pillow's pixel centres lie at .5.
    start += 0.5 * (1 + 1j) * (1 - turn)
    return Image.fromarray(padded).transform(
        (_TEMPLATE_SIDE, _TEMPLATE_SIDE),
        Image.Transform.AFFINE,
        (turn.real, -turn.imag, start.real, turn.imag, turn.real, start.imag),
        Image.Resampling.BILINEAR,
    )


def look_of(face: FacePass) -> Look | None:
    """The look of a face: its crop in few pixels, zero mean, unit norm; None without texture."""
    return _normalised(face.crop[::_LOOK_STEP, ::_LOOK_STEP].astype(np.float32))


def thumbnail(image: Rgb) -> Look:
    """A frame uint8 `(H, W, 3)` in at most 32×32 pixels of its green, grey values."""
    height, width = image.shape[:2]
    step_y, step_x = -(-height // _FRAME_SIDE), -(-width // _FRAME_SIDE)
    return image[::step_y, ::step_x, 1].astype(np.float32)


def is_cut(before: Look, after: Look) -> bool:
    """Whether there is a cut between two successive frames, from their thumbnails.

    Not at flashes and fades, nor where noise or a single face is all that changes.
    """
    if before.shape != after.shape:
        return True
    first, second = _normalised(before.copy()), _normalised(after.copy())
    if first is None or second is None or abs(before - after).mean() < _CUT_DIFFERENCE:
        return False
    return bool(np.vdot(first, second) < _CUT_CORRELATION)


def has_changed(before: Look | None, after: Look | None) -> bool:
    """Whether two successive looks at one place may be of different faces."""
    if before is None or after is None:
        return True
    return bool(np.vdot(before, after) < _SAME_LOOK)


def _normalised(values: NDArray[np.float32]) -> NDArray[np.float32] | None:
    values -= values.sum() / np.float32(values.size)  # a third faster than `mean`
    norm = np.sqrt(np.vdot(values, values))
    return values / np.float32(norm) if norm > 0 else None
