"""What the 15 keypoints say of a face: pose, openings, proportions, each with its expected error.

Lengths that say something of the face itself are ratios to the outer-canthal width, the distance
between the outer eye corners, so that they do not depend on how large the face is in the picture.
They are measurements, not diagnoses, and hold for faces that look at the camera: a head turned by
30° shows widths 13 % too short.

| measure | formula | unit |
|---|---|---|
| `roll_deg`, `yaw_deg`, `pitch_deg` | `edge.geometry.head_pose` | degrees |
| `outer_canthal_px` | between the outer eye corners | px |
| `interpupillary_px` | between the eye centres | px |
| `intercanthal` | between the inner eye corners (Farkas, 1994: en–en) | outer-canthal widths |
| `eye_width_left`, `eye_width_right` | between an eye's corners (ex–en) | the same |
| `mouth_width` | between the mouth corners (ch–ch) | the same |
| `mouth_opening` | between the centres of the lips | the same |
| `smile` | height of the mouth corners above the middle of the lips | the same |
| `brow_raise_left`, `brow_raise_right` | height of a brow's middle above the eye | the same |
| `nose_length` | nose tip below the line of the eyes | the same |
| `asymmetry` | see below | the same |

Heights are along the face's own vertical, at right angles to the line between the eye centres.

`asymmetry` is the object asymmetry of shape analysis (Klingenberg, 2002): the face is mirrored, its
points renamed and laid over the face by the rigid motion of least squares; half the root mean
square distance of the points is how far each lies from a symmetric face. A turned head looks
asymmetric too.

Legend: … leading axes, K keypoints (15), N measures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.face import Face
from edge.geometry.head_pose import head_pose
from edge.keypoints import KEYPOINT_NAMES, MIRROR_ORDER

MEASURES = (
    "roll_deg", "yaw_deg", "pitch_deg", "outer_canthal_px", "interpupillary_px", "intercanthal",
    "eye_width_left", "eye_width_right", "mouth_width", "mouth_opening", "smile",
    "brow_raise_left", "brow_raise_right", "nose_length", "asymmetry",
)  # fmt: skip

# A circle that holds half of a round normal distribution has 1.1774 deviations as its radius; half
# of a normal distribution in one dimension lies within 0.6745 deviations.
_DEVIATION = 1 / 1.1774
_PROBABLE = 0.6745
_STEP = 1e-3  # of the outer-canthal width, for the differences that stand for derivatives


@dataclass(frozen=True, slots=True)
class Measure:
    """A measured value and its probable error: half of such measurements are off by no more."""

    value: float
    error: float


def measure(face: Face) -> dict[str, Measure]:
    """Measure a face.

    The expected errors are carried over from the keypoints' by the law of propagation of
    uncertainty (JCGM 100:2008, 5.1.2), the keypoints' errors taken as independent and round.

    Args:
        face: with keypoints in Kaggle's scheme.

    Returns:
        A `Measure` by name, in the order of `MEASURES`; empty where the points span no face.
    """
    points = np.asarray(face.keypoints, dtype=np.float64)
    step = _STEP * _distance(points, "left_eye_outer_corner", "right_eye_outer_corner")
    if not step > 0 or not np.isfinite(points).all():
        return {}
    moves = np.eye(points.size).reshape(-1, *points.shape) * step
    with np.errstate(divide="ignore", invalid="ignore"):
        values, above, below = _values(points), _values(points + moves), _values(points - moves)
    slopes = (above - below) / (2 * step)  # (2K, N)
    deviations = np.repeat(np.asarray(face.error, np.float64) * _DEVIATION, 2)
    errors = _PROBABLE * np.sqrt(((slopes * deviations[:, None]) ** 2).sum(axis=0))
    if not (np.isfinite(values).all() and np.isfinite(errors).all()):
        return {}
    pairs = zip(values.tolist(), errors.tolist(), strict=True)
    return {name: Measure(*pair) for name, pair in zip(MEASURES, pairs, strict=True)}


def _values(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """All measures of faces `(…, 15, 2)` px, `(…, N)`, in the order of `MEASURES`."""
    width = _distance(points, "left_eye_outer_corner", "right_eye_outer_corner")
    lips = _middle(points, "mouth_center_top_lip", "mouth_center_bottom_lip")
    corners = _middle(points, "mouth_left_corner", "mouth_right_corner")
    eyes = _middle(points, "left_eye_center", "right_eye_center")
    down = _down(points)

    def below(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(((first - second) * down).sum(axis=-1))

    brows = [
        below(
            _of(points, f"{side}_eye_center"),
            _middle(points, f"{side}_eyebrow_inner_end", f"{side}_eyebrow_outer_end"),
        )
        for side in ("left", "right")
    ]
    lengths = [
        _distance(points, "left_eye_inner_corner", "right_eye_inner_corner"),
        _distance(points, "left_eye_inner_corner", "left_eye_outer_corner"),
        _distance(points, "right_eye_inner_corner", "right_eye_outer_corner"),
        _distance(points, "mouth_left_corner", "mouth_right_corner"),
        _distance(points, "mouth_center_top_lip", "mouth_center_bottom_lip"),
        below(lips, corners),
        *brows,
        below(_of(points, "nose_tip"), eyes),
        _asymmetry(points),
    ]
    pupils = _distance(points, "left_eye_center", "right_eye_center")
    ratios = np.stack(lengths, axis=-1) / width[..., None]
    pixels = np.stack([width, pupils], axis=-1)
    return np.concatenate([head_pose(points), pixels, ratios], axis=-1)


def _asymmetry(points: NDArray[np.float64]) -> NDArray[np.float64]:
    face = points - points.mean(axis=-2, keepdims=True)
    mirrored = face[..., list(MIRROR_ORDER), :] * np.array([-1.0, 1.0])
    # The turn of least squares, in the plane one complex factor of length 1.
    a, b = face @ np.array([1, 1j]), mirrored @ np.array([1, 1j])
    turn = (a * b.conj()).sum(axis=-1, keepdims=True)
    apart = a - turn / np.abs(turn) * b
    return np.asarray(np.sqrt((np.abs(apart) ** 2).mean(axis=-1)) / 2)


def _down(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The unit vector down each face, `(…, 2)`."""
    along = _of(points, "left_eye_center") - _of(points, "right_eye_center")
    along = along / np.linalg.norm(along, axis=-1, keepdims=True)
    return np.stack([-along[..., 1], along[..., 0]], axis=-1)


def _of(points: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    return points[..., KEYPOINT_NAMES.index(name), :]


def _middle(points: NDArray[np.float64], first: str, second: str) -> NDArray[np.float64]:
    return (_of(points, first) + _of(points, second)) / 2


def _distance(points: NDArray[np.float64], first: str, second: str) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(_of(points, first) - _of(points, second), axis=-1))
