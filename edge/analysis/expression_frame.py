"""The frame in which expressions are told: points upright, scaled and centred by the rigid ones.

Legend: N faces, P points that are used (52).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Of the 68 points the chin, brows, nose, eyes and lips. The rest of the jaw is left out: in photos
# its points lie on the outline of the turned head, in head models on the bone.
USED = (8, *range(17, 68))
# Those that no expression moves far: the corners of the eyes, and the nose.
_RIGID = [USED.index(point) for point in (36, 39, 42, 45, *range(27, 36))]


def deviations(
    points: NDArray[np.floating], reference: NDArray[np.floating]
) -> NDArray[np.float32]:
    """How far the points of faces lie from a reference face that is fitted to them.

    The similarity of least squares takes a face's rigid points to those of the reference.

    Args:
        points: `(N, P, 2)` in any unit, x to the right of the image, y down.
        reference: `(P, 2)` in outer-canthal widths.

    Returns:
        float32 `(N, 2 P)`, all x and then all y, in outer-canthal widths of the reference; NaN
        where the rigid points of a face coincide.
    """
    faces, fixed = _to_complex(points), _to_complex(reference)
    rigid = faces[:, _RIGID]
    centre = rigid.mean(axis=1, keepdims=True)
    rigid = rigid - centre
    target = fixed[_RIGID].mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = (rigid.conj() * (fixed[_RIGID] - target)).sum(axis=1, keepdims=True)
        factor = factor / (np.abs(rigid) ** 2).sum(axis=1, keepdims=True)
        moved = (faces - centre) * factor + (target - fixed)
    return np.concatenate([moved.real, moved.imag], axis=1).astype(np.float32)


def _to_complex(points: NDArray[np.floating]) -> NDArray[np.complex128]:
    points = np.asarray(points, np.float64)
    return np.asarray(points[..., 0] + 1j * points[..., 1])
