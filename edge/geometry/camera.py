"""The camera that took an image, as far as the perspective of a face needs it.

Legend: … leading axes, K points of a face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Where the focal length is not given, in parts of the image's longer side: phones and webcams have
# 0.7 to 0.9, photos that are cut out of others much more. The deviation of the inverse covers both.
ASSUMED_FOCAL = 1.5
INVERSE_FOCAL_DEVIATION = 0.5


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera with square pixels.

    Attributes:
        inverse_focal: 1/px; 0 for a camera that is infinitely far away.
        deviation: standard deviation of `inverse_focal`, 1/px.
        centre: x and y of the principal point, px; None if it is unknown.
    """

    inverse_focal: float = 0.0
    deviation: float = 0.0
    centre: tuple[float, float] | None = None

    @staticmethod
    def of_image(
        width: int, height: int, focal_px: float | None = None, deviation_px: float = 0.0
    ) -> Camera:
        """The camera of an image that is not cut out of another, with or without focal length.

        Args:
            width: of the image, px.
            height: likewise.
            focal_px: None assumes one.
            deviation_px: standard deviation of a focal length that is given.
        """
        if focal_px is not None:
            centre = (width - 1) / 2, (height - 1) / 2
            return Camera(1 / focal_px, deviation_px / focal_px**2, centre)
        side = max(width, height)
        return Camera(1 / (ASSUMED_FOCAL * side), INVERSE_FOCAL_DEVIATION / side)

    def facing(
        self, points: NDArray[np.float64], deviation: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What the camera would see if it were turned towards a face, about its own centre.

        Args:
            points: `(…, K, 2)` px.
            deviation: of the points, `(…, K)` px.

        Returns:
            The points and their deviation; unchanged where the principal point is unknown.
        """
        if self.centre is None or self.inverse_focal == 0:
            return points, deviation
        plane = (points - self.centre) * self.inverse_focal
        rays = np.concatenate([plane, np.ones((*plane.shape[:-1], 1))], axis=-1)
        turned = rays @ np.swapaxes(_rotation_to_axis(rays.mean(axis=-2)), -1, -2)
        seen = turned[..., :2] / turned[..., 2:] / self.inverse_focal
        return seen, deviation * (_spread(seen) / _spread(points))[..., None]


def _rotation_to_axis(rays: NDArray[np.float64]) -> NDArray[np.float64]:
    """The smallest rotation `(…, 3, 3)` of each ray `(…, 3)` to the optical axis."""
    units = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    x, y, z = units[..., 0], units[..., 1], units[..., 2]
    rows = [
        [1 - x * x / (1 + z), -x * y / (1 + z), -x],
        [-x * y / (1 + z), 1 - y * y / (1 + z), -y],
        [x, y, z],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def _spread(points: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = points - points.mean(axis=-2, keepdims=True)
    return np.asarray(np.sqrt((centred**2).sum(axis=(-2, -1))))


NO_PERSPECTIVE = Camera()
