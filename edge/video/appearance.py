"""What a face looks like: its template, which tells people apart, and its look, which shows jumps.

Templates cost a seventh of a tracked frame, looks a hundredth. From one frame to the next a face's
look hardly changes, except where another face is in its place, as after a cut.

Legend: S side of a template.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from edge.crop import cut
from edge.geometry.affine import matrix_from_complex
from edge.image import Rgb
from edge.video.observation import Observation, crop_of_pose

Template = NDArray[np.float32]  # (S, S)
Look = NDArray[np.float32]  # (24, 24), or a whole frame's

_TEMPLATE_SIDE = 48  # px
_SHADING_RADIUS = 6  # px, of the local mean that is subtracted
_LOOK_STEP = 4  # px of the crop
_FRAME_SIDE = 32  # px of a whole frame's thumbnail
_CUT_CORRELATION = 0.25  # of two thumbnails, below which there is a cut between them
_CUT_DIFFERENCE = 12.0  # mean difference, grey values, above which there may be one
# Correlations of looks: of one face in successive frames above 0.93, unless its crop is framed in
# another way; of different people in one place below 0.8 (HELEN).
_SAME_LOOK = 0.9


def template_of(face: Observation) -> Template | None:
    """The appearance template of a face: upright, local mean removed, zero mean, unit norm.

    None where the keypoints coincide or the crop has no texture.
    """
    if face.pose is None:
        return None
    (factor, offset), (scale, shift) = face.to_crop, crop_of_pose(face.pose, _TEMPLATE_SIDE, True)
    matrix = matrix_from_complex(scale / factor, shift - scale / factor * offset)  # from the crop
    crop = cut(face.crop, matrix, _TEMPLATE_SIDE)
    blurred = Image.fromarray(crop).filter(ImageFilter.BoxBlur(_SHADING_RADIUS))
    local_mean = np.asarray(blurred, np.float32)
    return _normalised(crop - local_mean)


def look_of(face: Observation) -> Look | None:
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
