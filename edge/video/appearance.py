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
from edge.geometry.affine import compose, invert
from edge.geometry.face_frame import upright_matrix_of_pose
from edge.refinement import FacePass

Template = NDArray[np.float32]  # (S, S)
Look = NDArray[np.float32]  # (24, 24)

_TEMPLATE_SIDE = 48  # px
_SHADING_RADIUS = 6  # px, of the local mean that is subtracted
_LOOK_STEP = 4  # px of the crop
# Correlations of looks: of one face in successive frames above 0.93, unless its crop is framed in
# another way; of different people in one place below 0.8 (HELEN).
_SAME_LOOK = 0.9


def template_of(face: FacePass) -> Template | None:
    """The appearance template of a face: upright, local mean removed, zero mean, unit norm.

    None where the keypoints coincide or the crop has no texture.
    """
    if face.pose is None:
        return None
    upright = upright_matrix_of_pose(face.pose, _TEMPLATE_SIDE)
    crop = cut(face.crop, compose(upright, invert(face.matrix)), _TEMPLATE_SIDE)
    blurred = Image.fromarray(crop).filter(ImageFilter.BoxBlur(_SHADING_RADIUS))
    local_mean = np.asarray(blurred, np.float32)
    return _normalised(crop - local_mean)


def look_of(face: FacePass) -> Look | None:
    """The look of a face: its crop in few pixels, zero mean, unit norm; None without texture."""
    return _normalised(face.crop[::_LOOK_STEP, ::_LOOK_STEP].astype(np.float32))


def has_changed(before: Look | None, after: Look | None) -> bool:
    """Whether two successive looks at one place may be of different faces."""
    if before is None or after is None:
        return True
    return bool(np.vdot(before, after) < _SAME_LOOK)


def _normalised(values: NDArray[np.float32]) -> NDArray[np.float32] | None:
    values -= values.mean()
    norm = np.sqrt(np.vdot(values, values))
    return values / np.float32(norm) if norm > 0 else None
