"""The shape of heads: mean and covariance of the 15 keypoints in space.

Over people and expressions, from the ICT face model (Li et al., 2020, "Learning formation of
physically-based face attributes"; Copyright (c) 2020 USC Institute for Creative Technologies, MIT
licence, see NOTICE), by `python -m train.head_shape`. Coordinates are the head's own: cm, x to the
subject's left, y down, z away from the viewer; at pose 0 they are those of the camera.

Legend: K keypoints (15), C their coordinates (45), M modes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.keypoints import KEYPOINT_NAMES, MIRROR_ORDER

UNIT_CM = 1e-3  # of the tables of covariance

# The model's mean head at the 15 keypoints, as the 68-point scheme defines them, cm; (K, 3).
MEAN_68 = np.array(
    [[3.26, -3.44, -9.22], [-3.26, -3.44, -9.22], [1.84, -3.25, -9.2], [4.46, -3.43, -8.6],
     [-1.84, -3.25, -9.2], [-4.46, -3.43, -8.6], [1.17, -5.91, -10.73], [5.82, -5.2, -7.91],
     [-1.17, -5.91, -10.73], [-5.82, -5.2, -7.91], [0.0, -0.41, -13.07], [2.53, 3.52, -10.19],
     [-2.53, 3.52, -10.19], [0.0, 2.48, -11.84], [0.0, 4.38, -11.55]]
)  # fmt: skip

# From the 68-point scheme to the one that the embedded network predicts, in which brows lie lower
# and eye corners further apart; x and y in parts of the distance between the outer eye corners, by
# annotated photos and `train/data/annotators.json`, made symmetric; (K, 2).
SCHEME = np.array(
    [[0.0, -0.009], [0.0, -0.009], [0.0, -0.003], [0.016, 0.005], [0.0, -0.003], [-0.016, 0.005],
     [0.026, 0.039], [-0.014, 0.019], [-0.026, 0.039], [0.014, 0.019], [0.0, 0.02], [0.011, 0.0],
     [-0.011, 0.0], [0.0, 0.01], [0.0, -0.017]]
)  # fmt: skip

# The covariance of the coordinates, less that of the scheme: Cholesky factors, row by row the lower
# triangle, of its symmetric part and of the part that is the difference of the two sides.
_SYMMETRIC = (
    207, -35, 147, -48, 9, 122, 157, -29, 18, 108, -40, 101, -14, -21, 74, -60, 35, 95, -13, -26,
    80, 271, 1, -4, -61, -7, 7, 60, -43, 137, 9, -5, -23, 6, 1, 63, -5, 17, 103, -63, 21, -56, 17,
    16, 56, 53, 7, 16, -24, -21, -4, 3, 2, -5, 55, -158, 60, 34, -58, 9, -8, 22, 23, -10, -11, 170,
    -126, -39, -65, 166, 142, 15, -63, -29, 4, -233, -91, 183, 275, -9, 46, -48, -22, 13, 29, -27,
    13, 60, -28, 5, 131, -99, 65, 16, -56, -48, -10, 21, 87, 19, -13, 87, -6, -9, 131, 28, -10,
    -42, -43, 52, -68, -5, -11, 13, -34, -20, 81, -48, 19, 112, 69, -88, 32, -11, -55, -19, 2, -33,
    -10, 22, 14, -26, -7, -13, 10, 100, -71, -15, -88, 52, 110, -40, -39, 2, 6, -110, 7, 48, 29,
    55, 2, -68, 178, 114, -203, -82, -1, 59, 207, -78, -30, 146, 147, 107, 36, 58, 77, -84, 212,
    58, 914, 271, 166, 153, 43, -222, -248, 31, -113, -261, -89, -214, -66, -144, -118, 112, -158,
    -223, -1319, 495, -154, -278, -65, -2, -37, 294, -70, 97, 219, 196, 161, -22, 89, 121, -124,
    303, 5, 1119, -125, 448, 105, -19, 76, -9, -121, -47, 13, -44, -52, 44, -59, -47, -53, -39, 20,
    34, -133, -318, 114, 9, 142, -121, -117, -2, 66, -63, 93, -21, 52, 47, 40, 54, -17, 52, 68,
    -51, 50, -7, 270, -101, 138, 56, 140, 229, -5, 8, -51, -18, -92, 25, -89, -53, -46, -75, -24,
    -55, -88, 60, 2, -35, -388, 329, 175, -154, -106, 291, -126, -79, 35, 0, -73, 67, 46, 36, 47,
    10, 57, -15, 34, 40, -46, 52, -13, 155, -39, 348, -43, 21, 41, 140,
)  # fmt: skip
_ANTISYMMETRIC = (
    39, -15, 51, 1, 5, 26, 23, 0, -1, 22, -6, 17, -2, -10, 17, -8, 2, 19, -1, 3, 15, 29, -1, 6, -4,
    4, 2, 20, -13, 36, 1, -2, 3, 2, -5, 18, 8, 7, 30, -4, 5, -15, 1, 3, 23, 11, 2, -12, -2, -8, 2,
    -12, -4, -11, 31, -4, 2, -4, -2, 3, 0, -5, 3, -1, -7, 42, 0, -3, 8, 3, 1, -3, 4, -4, -1, 4, -3,
    13, 21, 4, -10, -6, -3, 7, 6, 2, -3, 25, -5, 2, 25, -4, 6, -11, 0, -2, -2, -1, 24, 5, 0, 29, 0,
    -14, 48, -1, 2, 15, 7, -6, -3, -15, 4, 6, 18, -16, 8, 13, -6, 37, -14, 2, 2, -3, -3, -1, -16,
    6, -7, 2, -1, -2, -10, -4, -1, 44, -17, -7, -4, -18, -3, 0, -3, 2, 5, -30, -9, -11, 11, 2, -2,
    159, 180, 4, 21, 2, -7, 21, -1, -9, -16, -8, 17, -24, -9, -21, 6, 9, -44, -39, 127, -8, -11,
    11, 5, -9, 3, 3, 17, -2, 8, -1, 5, 10, 7, -11, 95, 133, -16, 145, -20, -1, -1, -8, -6, -10, -1,
    12, -1, -19, -4, -2, -1, -6, 3, 164, 101, 4, -18, 87, -17, -2, -2, -10, -9, -11, -3, 10, 0,
    -26, -5, -10, 7, -4, 2, 171, 132, 13, -49, 42, 53,
)  # fmt: skip

_OUTER_CORNERS = [KEYPOINT_NAMES.index(f"{side}_eye_outer_corner") for side in ("left", "right")]


def half_coordinates() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bases of what is symmetric and of what is not: orthonormal rows `(24, C)` and `(21, C)`."""
    same: list[NDArray[np.float64]] = []
    opposite: list[NDArray[np.float64]] = []
    for point, other in enumerate(MIRROR_ORDER):
        if point > other:
            continue
        for axis, sign in enumerate((-1.0, 1.0, 1.0)):  # a mirror image changes the sign of x
            unit = np.zeros((2, len(KEYPOINT_NAMES), 3))
            unit[:, point, axis] += 1
            unit[:, other, axis] += (sign, -sign)
            for basis, row in zip((same, opposite), unit, strict=True):
                if row.any():
                    basis.append(row.ravel() / np.linalg.norm(row))
    return np.array(same), np.array(opposite)


def _modes() -> NDArray[np.float64]:
    """Displacements `(M, K, 3)` cm; a head is the mean and each times a unit normal number."""
    parts = []
    for table, basis in zip((_SYMMETRIC, _ANTISYMMETRIC), half_coordinates(), strict=True):
        factor = np.zeros((len(basis), len(basis)))
        factor[np.tril_indices(len(basis))] = table
        parts.append(UNIT_CM * factor.T @ basis)
    # Keypoints of the 68-point scheme are one standard deviation away from those of Kaggle's.
    return np.concatenate([*parts, _SCHEME_CM.reshape(1, -1)]).reshape(-1, *MEAN_68.shape)


_WIDTH_CM = np.ptp(MEAN_68[_OUTER_CORNERS, 0])
_SCHEME_CM = np.column_stack([SCHEME * _WIDTH_CM, np.zeros(len(SCHEME))])
# The mean head in the keypoints' own scheme, about its centroid, cm; (K, 3).
MEAN_HEAD = MEAN_68 + _SCHEME_CM - (MEAN_68 + _SCHEME_CM).mean(axis=0)
HEAD_MODES = _modes()
