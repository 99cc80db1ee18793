"""The keypoints of a turned head as they would be seen from the front, with their covariance.

What is seen of a keypoint is kept; what is not, its depth, is its expectation given all keypoints
(the conditional mean of a multivariate normal distribution), from the covariance of head shapes.

Legend: K keypoints (15), C their coordinates in space (45), M modes of the shape.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.geometry.head_fit import HeadFit
from edge.geometry.head_shape import HEAD_MODES, MEAN_HEAD

Array = NDArray[np.float64]

_SHAPES = HEAD_MODES.reshape(len(HEAD_MODES), -1).T  # (C, M) cm


def frontal_view(fit: HeadFit) -> tuple[Array, Array]:
    """Turn a fitted head to the front, at the size that it has in the image.

    Returns:
        The keypoints `(15, 2)` px about the head's centroid, upright, and the covariance `(30, 30)`
        of their coordinates, of the pose and of the depths in px². Distances between them are those
        that the face would show if it looked at the camera.
    """
    projection, scale = fit.projection, fit.pose.scale
    by_shape = _block_diagonal(projection.by_point)  # (2K, C)
    shape_modes = projection.modes[:, :-1]
    variance = projection.modes @ projection.modes.T + np.diag(fit.noise)
    weights = np.linalg.inv(variance)
    expected = _SHAPES @ shape_modes.T @ weights  # (C, 2K): of the shape, by the residuals
    inverse = _block_diagonal(np.linalg.pinv(projection.by_point))  # (C, 2K)
    to_shape = expected + inverse @ (np.eye(len(variance)) - by_shape @ expected)
    by_noise = fit.covariance @ projection.by_pose.T @ weights  # (6, 2K): of the fit
    # What remains of a displacement of the keypoints after the fit, as a change of the shape.
    seen_as = to_shape @ (np.eye(len(variance)) - projection.by_pose @ by_noise)
    larger = np.outer(MEAN_HEAD.ravel(), by_noise[3])  # by an error of the scale
    found = (seen_as + larger) * scale
    shape_error = found @ projection.modes
    shape_error[:, :-1] -= scale * _SHAPES
    covariance = shape_error @ shape_error.T + (found * fit.noise) @ found.T
    head = MEAN_HEAD + (to_shape @ fit.residual).reshape(MEAN_HEAD.shape)
    in_plane = np.arange(covariance.shape[0]).reshape(-1, 3)[:, :2].ravel()
    return scale * head[:, :2], covariance[np.ix_(in_plane, in_plane)]


def _block_diagonal(blocks: NDArray[np.floating]) -> Array:
    """`(K, a, b)` as `(K a, K b)`."""
    count, rows, columns = blocks.shape
    matrix = np.zeros((count, rows, count, columns))
    matrix[np.arange(count), :, np.arange(count)] = blocks
    return matrix.reshape(count * rows, count * columns)
