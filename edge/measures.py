"""Measures of a face from its 15 keypoints: pose, openings, proportions, each with its error.

Lengths are ratios to the outer-canthal width, the distance between the outer eye corners, so that
they do not depend on the size of the face in the image. They are measurements, not diagnoses, and
hold for faces that look at the camera: a head turned by 30° shows widths 13 % too short, unless it
is turned to the front first (`edge.geometry.frontal_view`).

| measure | formula | unit |
|---|---|---|
| `roll_deg`, `yaw_deg`, `pitch_deg` | `edge.geometry.head_pose` | degrees |
| `outer_canthal_px` | between the outer eye corners | px |
| `interpupillary_px` | between the eye centres | px |
| `intercanthal` | between the inner eye corners (Farkas, 1994: en–en) | outer-canthal widths |
| `eye_width_left`, `eye_width_right` | between an eye's corners (ex–en) | the same |
| `mouth_width` | between the mouth corners (ch–ch) | the same |
| `mouth_opening` | between the centres of the lips | the same |
| `smile` | height of the mouth corners above the midpoint of the lips | the same |
| `brow_raise_left`, `brow_raise_right` | height of a brow's midpoint above the eye | the same |
| `nose_length` | nose tip below the line of the eyes | the same |
| `asymmetry` | see below | the same |

Heights are along the face's own vertical, at right angles to the line between the eye centres.

`asymmetry` is the object asymmetry of shape analysis (Klingenberg, 2002): the face is mirrored, its
points renamed and fitted to the face by a rigid motion of least squares; half the root mean square
distance of the points is how far each lies from a symmetric face. A turned head looks asymmetric
too, unless it is turned to the front first, which also takes away what the keypoints' errors add.

Legend: … leading axes, K keypoints (15), N measures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.face import Face
from edge.geometry.camera import NO_PERSPECTIVE, Camera
from edge.geometry.frontal_view import frontal_view
from edge.geometry.head_fit import fit_head
from edge.geometry.head_pose import angles_deg, deviations_deg
from edge.keypoints import KEYPOINT_NAMES, MIRROR_ORDER

MEASURES = (
    "roll_deg", "yaw_deg", "pitch_deg", "outer_canthal_px", "interpupillary_px", "intercanthal",
    "eye_width_left", "eye_width_right", "mouth_width", "mouth_opening", "smile",
    "brow_raise_left", "brow_raise_right", "nose_length", "asymmetry",
)  # fmt: skip

# The median radius of a circular normal distribution is 1.1774 standard deviations; the probable
# error of a normal distribution in one dimension is 0.6745 standard deviations.
_DEVIATION_PER_RADIUS = 1 / 1.1774
_PROBABLE_ERROR = 0.6745
_STEP = 1e-3  # of the outer-canthal width, for numerical derivatives


@dataclass(frozen=True, slots=True)
class MeasureSettings:
    """How faces are measured: `focal_px` and `frontal` of `measure`."""

    focal_px: float | None = None
    frontal: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """A measured value and its probable error, which half of such measurements do not exceed."""

    value: float
    error: float


def measure(
    face: Face,
    *,
    image_size: tuple[int, int] | None = None,
    focal_px: float | None = None,
    frontal: bool = False,
) -> dict[str, Measure]:
    """Measure a face.

    Errors are propagated from the keypoints' by the law of propagation of uncertainty (JCGM
    100:2008, 5.1.2), the keypoints' errors taken as independent and circular. Those of the pose
    include how much heads differ; they grow where a face fits no head well.

    Args:
        face: with keypoints in Kaggle's scheme.
        image_size: width and height of an image that is not cut out of another, px. The pose of a
            face that is large in it is then corrected for the perspective of a near camera; without
            it faces are taken to be far away.
        focal_px: the camera's focal length, px; None assumes 1.5 of the image's longer side,
            and counts what that may be wrong by in the errors.
        frontal: turn the head to the front before all but the pose is measured.

    Returns:
        A `Measure` by name, in the order of `MEASURES`; empty where the keypoints span no face.

    Raises:
        ValueError: `focal_px` is not above 0, or is given without `image_size`, or that is no width
            and height.
    """
    points = np.asarray(face.keypoints, dtype=np.float64)
    camera = _camera(image_size, focal_px)
    if not _distance(points, "left_eye_outer_corner", "right_eye_outer_corner") > 0:
        return {}
    deviation = np.asarray(face.error, np.float64) * _DEVIATION_PER_RADIUS
    fit = fit_head(points, deviation, camera)
    if fit is None:
        return {}
    if frontal:
        points, covariance = frontal_view(fit)
        values, deviations = _propagate(points, covariance)
        values[-1], deviations[-1] = _unbiased_asymmetry(points, covariance)
    else:
        values, deviations = _propagate(points, np.diag(np.repeat(deviation**2, 2)))
    values = np.concatenate([angles_deg(fit), values])
    errors = _PROBABLE_ERROR * np.concatenate([deviations_deg(fit), deviations])
    if not (np.isfinite(values).all() and np.isfinite(errors).all()):
        return {}
    pairs = zip(values.tolist(), errors.tolist(), strict=True)
    return {name: Measure(*pair) for name, pair in zip(MEASURES, pairs, strict=True)}


def _camera(image_size: tuple[int, int] | None, focal_px: float | None) -> Camera:
    if focal_px is not None and not (focal_px > 0 and image_size is not None):
        raise ValueError(
            "focal_px must be above 0 and come with image_size, "
            f"received {focal_px} and {image_size}"
        )
    if image_size is None:
        return NO_PERSPECTIVE
    if np.shape(image_size) != (2,) or not min(image_size) > 0:
        raise ValueError(f"image_size must be a width and a height above 0, received {image_size}")
    return Camera.of_image(*image_size, focal_px)


def _propagate(
    points: NDArray[np.float64], covariance: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All measures but the pose, and their standard deviations.

    Args:
        points: `(15, 2)` px.
        covariance: `(30, 30)` px² of their coordinates.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        values, derivatives = _values(points), _derivatives(_values, points)
    variances = (derivatives * (covariance @ derivatives)).sum(axis=0)
    return values, np.sqrt(variances)


def _derivatives(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]], points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of the values `(…, N)` of a function of `(…, 15, 2)`, by each coordinate, `(30, N)`."""
    step = _STEP * _distance(points, "left_eye_outer_corner", "right_eye_outer_corner")
    steps = np.eye(points.size).reshape(-1, *points.shape) * step
    moved = function(points + np.concatenate([steps, -steps]))
    return np.asarray((moved[: points.size] - moved[points.size :]) / (2 * step))


def _unbiased_asymmetry(
    points: NDArray[np.float64], covariance: NDArray[np.float64]
) -> tuple[float, float]:
    """Asymmetry less what errors of the points add to it, and its standard deviation.

    The mean square of the differences exceeds the true one by their variance. Its own variance is
    that of a quadratic form of normal variables; near 0 only its root's upper bound is known.
    """
    width = _distance(points, "left_eye_outer_corner", "right_eye_outer_corner")
    derivatives = _derivatives(lambda moved: _mirror_differences(moved).view(np.float64), points)
    difference = _mirror_differences(points).view(np.float64)  # (2K,)
    spread = derivatives.T @ covariance @ derivatives
    square = max(0.0, difference @ difference - np.trace(spread))
    variance = 2 * (spread**2).sum() + 4 * difference @ spread @ difference
    per_value = 4 * len(points) * width**2
    above = np.sqrt((square + _PROBABLE_ERROR * np.sqrt(variance)) / per_value)
    value = np.sqrt(square / per_value)
    return float(value), float((above - value) / _PROBABLE_ERROR)


def _values(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """All measures but the pose of faces `(…, 15, 2)` px, `(…, N)`, in the order of `MEASURES`."""
    width = _distance(points, "left_eye_outer_corner", "right_eye_outer_corner")
    lips = _midpoint(points, "mouth_center_top_lip", "mouth_center_bottom_lip")
    corners = _midpoint(points, "mouth_left_corner", "mouth_right_corner")
    eyes = _midpoint(points, "left_eye_center", "right_eye_center")
    down = _down_axis(points)

    def below(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(((first - second) * down).sum(axis=-1))

    brows = [
        below(
            _point(points, f"{side}_eye_center"),
            _midpoint(points, f"{side}_eyebrow_inner_end", f"{side}_eyebrow_outer_end"),
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
        below(_point(points, "nose_tip"), eyes),
        _asymmetry(points),
    ]
    pupils = _distance(points, "left_eye_center", "right_eye_center")
    ratios = np.stack(lengths, axis=-1) / width[..., None]
    pixels = np.stack([width, pupils], axis=-1)
    return np.concatenate([pixels, ratios], axis=-1)


def _asymmetry(points: NDArray[np.float64]) -> NDArray[np.float64]:
    differences = _mirror_differences(points)
    return np.asarray(np.sqrt((np.abs(differences) ** 2).mean(axis=-1)) / 2)


def _mirror_differences(points: NDArray[np.float64]) -> NDArray[np.complex128]:
    """The face less its mirror image fitted to it, `(…, 15)` px: x + iy."""
    face = points - points.mean(axis=-2, keepdims=True)
    mirrored = face[..., list(MIRROR_ORDER), :] * np.array([-1.0, 1.0])
    # The rotation of least squares: in the complex plane, a factor of modulus 1.
    a = face @ np.array([1, 1j])
    b = mirrored @ np.array([1, 1j])
    rotation = (a * b.conj()).sum(axis=-1, keepdims=True)
    return np.asarray(a - rotation / np.abs(rotation) * b)


def _down_axis(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The unit vector down each face, `(…, 2)`."""
    along = _point(points, "left_eye_center") - _point(points, "right_eye_center")
    along = along / np.hypot(along[..., :1], along[..., 1:])
    return np.stack([-along[..., 1], along[..., 0]], axis=-1)


def _point(points: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    return points[..., KEYPOINT_NAMES.index(name), :]


def _midpoint(points: NDArray[np.float64], first: str, second: str) -> NDArray[np.float64]:
    return (_point(points, first) + _point(points, second)) / 2


def _distance(points: NDArray[np.float64], first: str, second: str) -> NDArray[np.float64]:
    between = _point(points, first) - _point(points, second)
    return np.asarray(np.hypot(between[..., 0], between[..., 1]))
