"""Conversion of other annotation schemes to the 15 keypoints of Kaggle's.

Legend: N faces, K keypoints (15). Points are `(x, y)` in px, y down.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.evaluation.annotation_offsets import add_offsets, measure_offsets
from edge.geometry.face_frame import eye_span
from edge.keypoints import KEYPOINT_NAMES
from train.errors import DataError

# The points of the 68-point scheme of Multi-PIE and 300-W (Sagonas et al., 2013; counted from 0)
# that correspond to each keypoint; several are averaged.
_FROM_68 = {
    "left_eye_center": range(42, 48),
    "right_eye_center": range(36, 42),
    "left_eye_inner_corner": (42,),
    "left_eye_outer_corner": (45,),
    "right_eye_inner_corner": (39,),
    "right_eye_outer_corner": (36,),
    "left_eyebrow_inner_end": (22,),
    "left_eyebrow_outer_end": (26,),
    "right_eyebrow_inner_end": (21,),
    "right_eyebrow_outer_end": (17,),
    "nose_tip": (30,),
    "mouth_left_corner": (54,),
    "mouth_right_corner": (48,),
    "mouth_center_top_lip": (51,),
    "mouth_center_bottom_lip": (57,),
}

_COUNT_WFLW = 98
# The points of WFLW (Wu et al., 2018) that are those of the 68, in their order.
_WFLW_OF_68 = (
    *range(0, 33, 2), *range(33, 38), *range(42, 47), *range(51, 60), 60, 61, 63, 64, 65, 67,
    68, 69, 71, 72, 73, 75, *range(76, 96),
)  # fmt: skip
# The points of COFW (Burgos-Artizzu et al., 2013), in their order.
_COFW = (
    "right_eyebrow_outer_end", "left_eyebrow_outer_end", "right_eyebrow_inner_end",
    "left_eyebrow_inner_end", "brow_right_top", "brow_right_bottom", "brow_left_top",
    "brow_left_bottom", "right_eye_outer_corner", "left_eye_outer_corner",
    "right_eye_inner_corner", "left_eye_inner_corner", "lid_right_top", "lid_right_bottom",
    "lid_left_top", "lid_left_bottom", "right_eye_center", "left_eye_center", "nostril_right",
    "nostril_left", "nose_tip", "nose_bottom", "mouth_right_corner", "mouth_left_corner",
    "mouth_center_top_lip", "upper_lip_bottom", "lower_lip_top", "mouth_center_bottom_lip", "chin",
)  # fmt: skip


def from_68(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """The 15 keypoints `(N, 15, 2)` of 68 points `(N, 68, 2)`, without correcting the scheme."""
    chosen = [points[:, list(_FROM_68[name])].mean(axis=1) for name in KEYPOINT_NAMES]
    return np.stack(chosen, axis=1).astype(np.float32)


def from_count(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """The 15 keypoints `(15, 2)` of one face in a public scheme, told by its number of points.

    Args:
        points: `(68, 2)` of 300-W, `(98, 2)` of WFLW, whose points of 300-W's scheme are used, or
            `(29, 2)` of COFW; NaN where missing.

    Raises:
        ValueError: there is another number of points.
    """
    if len(points) == len(_COFW):
        named = dict(zip(_COFW, points, strict=True))
        return np.array([named[name] for name in KEYPOINT_NAMES], np.float32)
    if len(points) == _COUNT_WFLW:
        points = points[list(_WFLW_OF_68)]
    if len(points) != len(_WFLW_OF_68):
        raise ValueError(f"expected 29, 68 or 98 points, or ours by name, received {len(points)}")
    return np.asarray(from_68(points[None])[0])


def read_convention(path: str | Path, key: str = "kaggle_minus_68") -> NDArray[np.float64]:
    """Read the mean offsets between two annotation schemes.

    Args:
        path: a JSON file of objects from keypoint name to `[x, y]`, as `add_offsets` takes them.
        key: name of the object.

    Returns:
        float64 `(15, 2)`.

    Raises:
        DataError: the file cannot be read, or a keypoint is missing.
    """
    try:
        table = json.loads(Path(path).read_text(encoding="utf-8"))[key]
        offsets = np.array([table[name] for name in KEYPOINT_NAMES], dtype=np.float64)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: cannot be read as offsets between schemes ({error!r})") from error
    if offsets.shape != (len(KEYPOINT_NAMES), 2):
        raise DataError(f"{path}: expected [x, y] for each keypoint in {key!r}")
    return offsets


def read_annotators(name: str) -> NDArray[np.float64]:
    """The offsets `(15, 2)` in `annotators.json` from a group's labels to the common scheme.

    Raises:
        DataError: there is no group of that name.
    """
    return read_convention(Path(__file__).with_name("annotators.json"), name)


def move_scheme(
    keypoints: NDArray[np.floating], reference: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Subtract the mean offsets of `keypoints` from `reference`.

    Args:
        keypoints: `(N, 15, 2)` px, NaN where missing.
        reference: `(N, 15, 2)` px, complete; its eyes define the frame of the offsets.

    Returns:
        float32 `(N, 15, 2)` px.
    """
    offsets = measure_offsets(reference, keypoints, robust=True)
    shift = add_offsets(reference, offsets) - reference
    return np.asarray(keypoints - shift, dtype=np.float32)


def blend(
    labels: NDArray[np.floating], others: NDArray[np.floating], tolerance: float = 0.06
) -> NDArray[np.float32]:
    """Average two independent annotations where they agree; elsewhere keep the first.

    Their errors are independent, so the mean is more accurate. `others` may follow another scheme:
    the mean offsets between the two are subtracted first.

    Args:
        labels: `(N, 15, 2)` px.
        others: `(N, 15, 2)` px, NaN where a point is not labelled.
        tolerance: maximum distance of two labels, in units of the outer-eye-corner distance.

    Returns:
        float32 `(N, 15, 2)` px, in the scheme of `labels`.
    """
    same_scheme = move_scheme(others, labels)
    span = eye_span(labels)[:, None]
    distance = np.linalg.norm(same_scheme - labels, axis=2)
    agree = (distance < tolerance * span)[..., None]  # False where a label is missing
    return np.where(agree, (labels + same_scheme) / 2, labels).astype(np.float32)
