"""How good a shot of a face is, from 0 to 1, with the reasons: what `--best` chooses by.

| part | 1 | 0 |
|---|---|---|
| `size` | box 160 px wide, or wider | 16 px; by the logarithm of the width |
| `sharpness` | detail as in a sharp photo | as after a blur of a twelfth of the face's width |
| `light` | even, neither dark nor glaring | black, white or flat |
| `pose` | looks at the camera | turned by 60°, or bowed by 45° |
| `eyes_open` | the narrower eye 0.30 as high as wide | 0.12 |
| `mouth_closed` | lips closed | open by 0.35 of the mouth's width, as in a yawn |
| `visible` | the networks are sure of face and points | they see no face |

`quality` is the weighted geometric mean, so that one part that is bad is not made up by others. The
weights and limits were chosen, and not fitted to judgements of people.

The 68 points follow lids and lips less than fully, so small differences in `eyes_open` mean little.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.alignment import alignment_matrix
from edge.analysis.eyes import AnyImage, grey_of
from edge.analysis.head import fit_of
from edge.analysis.mouth import INNER_LIPS
from edge.crop import cut
from edge.face import Face
from edge.geometry.camera import Camera
from edge.geometry.head_pose import angles_deg
from edge.geometry.points68 import relative_gap
from edge.image import Rgb
from edge.keypoints import KEYPOINT_NAMES

# Importance of each part in the geometric mean.
WEIGHTS = {
    "size": 1.0, "sharpness": 1.5, "light": 1.0, "pose": 1.5, "eyes_open": 1.0,
    "mouth_closed": 0.5, "visible": 1.0,
}  # fmt: skip
PARTS = tuple(WEIGHTS)
_LOWEST = 0.02  # of a part in the mean, so that the others still count
_SIDE = 112  # px of the aligned face on which sharpness and light are measured
_CORE_CORNER, _CORE_SIDE = (16, 24), 80  # px of it: brows to mouth, without the background
_SIZES_PX = (16.0, 160.0)
# Second over first differences of the aligned face: of sharp photos with 50 px between the eyes'
# outer corners 0.98 to 1.17 (middle half), after a blur of 2, 4 and 8 % of that 0.64, 0.44, 0.36.
_SHARPNESS = (0.35, 0.95)
_LUMA = (20.0, 70.0, 200.0, 245.0)  # the mean is black, dark, bright, white
_CONTRAST = (5.0, 25.0)  # standard deviation of the luma
_EVENNESS = (0.25, 0.7)  # mean luma of the darker half of the face over that of the brighter one
_YAW_DEG, _PITCH_DEG = 60.0, 45.0
_EYE_OPENING = (0.12, 0.30)  # height over width
_LIP_OPENING = (0.03, 0.35)
_ERROR = (0.03, 0.12)  # mean error of the keypoints, in distances between the eye centres
_DIGITS = 4
_EYE_CENTRES = [KEYPOINT_NAMES.index(f"{side}_eye_center") for side in ("left", "right")]
# Of the 68 points, for each eye: its corners, and pairs across the lids.
_EYES = (((36, 39), (37, 38), (41, 40)), ((42, 45), (43, 44), (47, 46)))


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a shot is.

    Attributes:
        value: the weighted geometric mean of the parts, 0–1.
        parts: each 0–1, in the order of `PARTS`; without those that cannot be told.
    """

    value: float
    parts: Mapping[str, float]

    def to_dict(self) -> dict[str, float]:
        """`value` and the parts by name, as `json` can write them."""
        pairs = {"value": self.value, **self.parts}
        return {name: round(number, _DIGITS) for name, number in pairs.items()}


def quality(image: Rgb | AnyImage, face: Face) -> Quality:
    """Judge the shot of a face.

    Args:
        image: uint8 `(H, W, 3)`, RGB, or grey as `edge.analysis.eyes.measure_eyes` takes it: the
            image the face was found in.
        face: `eyes_open` and `mouth_closed` need its `points68`, and are left out without.

    Returns:
        The quality; 0 where the keypoints span no face.

    Raises:
        ImageError: the image has another shape or dtype.
    """
    grey = grey_of(image)
    height, width = grey.shape[:2]
    fit = fit_of(face, Camera.of_image(width, height))
    matrix = alignment_matrix(face, _SIDE)
    if fit is None or matrix is None:
        return Quality(0.0, {})
    matrix[:, 2] -= _CORE_CORNER
    core = cut(grey, matrix, _CORE_SIDE).astype(np.float64)
    _, yaw, pitch = (angles_deg(fit) / (1, _YAW_DEG, _PITCH_DEG)).tolist()
    span = float(np.linalg.norm(np.subtract(*face.keypoints[_EYE_CENTRES])))
    error = float(np.mean(face.error)) / span if span > 0 else math.inf
    parts = {
        "size": _rise(math.log(max(float(face.box[2]), 1.0)), *map(math.log, _SIZES_PX)),
        "sharpness": _rise(_detail(core), *_SHARPNESS),
        "light": _light(core),
        "pose": max(0.0, 1 - yaw**2 - pitch**2),
        **_openings(face),
        "visible": face.score * (1 - _rise(error, *_ERROR)),
    }
    return Quality(_mean(parts), parts)


def _mean(parts: Mapping[str, float]) -> float:
    weight = sum(WEIGHTS[name] for name in parts)
    logarithms = (WEIGHTS[name] * math.log(max(part, _LOWEST)) for name, part in parts.items())
    return math.exp(sum(logarithms) / weight)


def _openings(face: Face) -> dict[str, float]:
    if face.points68 is None:
        return {}
    points = [complex(x, y) for x, y in face.points68.tolist()]
    eyes = min(relative_gap(points, *eye) or 0.0 for eye in _EYES)
    return {
        "eyes_open": _rise(eyes, *_EYE_OPENING),
        "mouth_closed": 1 - _rise(relative_gap(points, *INNER_LIPS) or 0.0, *_LIP_OPENING),
    }


def _detail(grey: NDArray[np.float64]) -> float:
    """Root mean square of second over that of first differences: large for fine detail."""
    first = _mean_square(np.diff(grey, axis=0)) + _mean_square(np.diff(grey, axis=1))
    middle = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    second = _mean_square(4 * middle - around)
    return math.sqrt(second / first) if first > 0 else 0.0


def _mean_square(values: NDArray[np.float64]) -> float:
    flat = values.ravel()
    return float(flat @ flat) / flat.size


def _light(grey: NDArray[np.float64]) -> float:
    black, dark, bright, white = _LUMA
    mean, half = float(grey.mean()), grey.shape[1] // 2
    sides = sorted((float(grey[:, :half].mean()), float(grey[:, half:].mean())))
    evenness = sides[0] / sides[1] if sides[1] > 0 else 0.0
    return (
        _rise(mean, black, dark)
        * (1 - _rise(mean, bright, white))
        * _rise(float(grey.std()), *_CONTRAST)
        * _rise(evenness, *_EVENNESS)
    )


def _rise(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on, and straight between."""
    return min(1.0, max(0.0, (value - low) / (high - low)))
