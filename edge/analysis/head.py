"""Distance from the camera, head pose, and whether a head faces the camera."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edge.face import Face
from edge.geometry.camera import Camera
from edge.geometry.head_fit import HeadFit, fit_head
from edge.geometry.head_pose import yaw_and_pitch_deg
from edge.measures import Measure

# Up to about this angle people look at something by moving their eyes alone (Stahl, 1999); beyond
# it the head follows.
FACING_DEG = 20.0
_DEVIATION_PER_RADIUS = 1 / 1.1774  # of a circular normal distribution
_PROBABLE_ERROR = 0.6745


@dataclass(frozen=True, slots=True)
class HeadState:
    """A head: see `edge.analysis.state.FaceState`."""

    distance_cm: Measure | None
    focal_px: Measure | None
    yaw_deg: Measure
    pitch_deg: Measure
    facing: float


def measure_head(face: Face, camera: Camera) -> HeadState | None:
    """Measure the head of a face; None where its keypoints span no face.

    The distance is the focal length over the scale of the mean head fitted to the keypoints, whose
    error includes how much heads differ in size, and the focal length's own where it is assumed.

    Args:
        face: with keypoints in Kaggle's scheme.
        camera: of the image.
    """
    fit = fit_of(face, camera)
    if fit is None:
        return None
    angles, deviations = yaw_and_pitch_deg(fit)
    yaw, pitch = (
        Measure(angle, _PROBABLE_ERROR * deviation)
        for angle, deviation in zip(angles, deviations, strict=True)
    )
    return HeadState(
        _distance_cm(fit, camera), _focal_px(camera), yaw, pitch, _facing(angles, deviations)
    )


def fit_of(face: Face, camera: Camera) -> HeadFit | None:
    """The mean head fitted to a face; None where its keypoints span no face."""
    points = np.asarray(face.keypoints, np.float64)
    if not (points != points[0]).any():
        return None
    return fit_head(points, _DEVIATION_PER_RADIUS * np.asarray(face.error, np.float64), camera)


def _distance_cm(fit: HeadFit, camera: Camera) -> Measure | None:
    if camera.inverse_focal == 0:
        return None
    value = 1 / (camera.inverse_focal * fit.pose.scale)
    size = fit.excess * math.sqrt(fit.covariance[3, 3])  # of the logarithm of the scale
    relative = math.hypot(size, camera.deviation / camera.inverse_focal)
    return Measure(value, _PROBABLE_ERROR * relative * value)


def _focal_px(camera: Camera) -> Measure | None:
    if camera.inverse_focal == 0:
        return None
    value = 1 / camera.inverse_focal
    return Measure(value, _PROBABLE_ERROR * camera.deviation * value**2)


def _facing(angles: tuple[float, float], deviations: tuple[float, float]) -> float:
    """The probability that the angle between the head and the camera is below `FACING_DEG`.

    The error of that angle is that of yaw and pitch in its direction, taken as normal.
    """
    angle = math.hypot(*angles)
    if angle > 0:
        parts = (a / angle * d for a, d in zip(angles, deviations, strict=True))
        deviation = math.hypot(*parts)
    else:
        deviation = math.hypot(*deviations) / math.sqrt(2)
    if not deviation > 0:
        return float(angle < FACING_DEG)
    return _normal((FACING_DEG - angle) / deviation) - _normal((-FACING_DEG - angle) / deviation)


def _normal(value: float) -> float:
    """The cumulative normal distribution."""
    return 0.5 * math.erfc(-value / math.sqrt(2))
