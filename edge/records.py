"""Results as JSON and as CSV: the one place that defines both schemas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge.face import Face
from edge.measures import measure
from edge.networks.keypoint_model import Prediction

_PIXEL_DIGITS = 2
_SCORE_DIGITS = 4
_TIME_DIGITS = 4


def to_record(
    image: str,
    width: int,
    height: int,
    faces: Sequence[Face],
    names: Sequence[str],
    frame: int | None = None,
    time: float | None = None,
) -> dict[str, Any]:
    """One image's result as values that `json` can write.

    Args:
        image: name of the image.
        width: of the image with EXIF orientation applied, px.
        height: likewise, px.
        faces: found in it.
        names: names of the keypoints, in order.
        frame: number of the frame or crop, where the file holds several.
        time: of the frame, seconds from the beginning of the video.
    """
    position = {"frame": frame, "time": None if time is None else round(time, _TIME_DIGITS)}
    return {
        "image": image,
        **{key: value for key, value in position.items() if value is not None},
        "width": width,
        "height": height,
        "faces": [_face_record(face, i, names) for i, face in enumerate(faces)],
    }


def crop_records(
    image: str, size: int, prediction: Prediction, names: Sequence[str]
) -> list[dict[str, Any]]:
    """The results for crops, each an image with one face.

    Args:
        image: name of the file; `frame` is the number of each crop.
        size: side of a crop, px.
        prediction: from `FaceKeypoints.crops`.
        names: names of the keypoints, in order.
    """
    whole = np.array([0, 0, size, size], np.float32)
    return [
        to_record(image, size, size, [Face(whole, float(score), points, error)], names, number)
        for number, (points, error, score) in enumerate(zip(*prediction, strict=True))
    ]


def csv_header(names: Sequence[str]) -> list[str]:
    """Column names of the CSV: Kaggle's own 30 in the middle, the errors at the end."""
    return [
        *("image", "frame", "face", "score", "box_x", "box_y", "box_w", "box_h"),
        *(f"{name}_{axis}" for name in names for axis in "xy"),
        *(f"{name}_error" for name in names),
    ]


def csv_row(image: str, frame: int, number: int, face: Face) -> list[str | int | float]:
    """One face as a row under `csv_header`; `frame` is 0 for a still image."""
    return [
        image,
        frame,
        _face_id(face, number),
        round(face.score, _SCORE_DIGITS),
        *_round_px(face.box),
        *_round_px(face.keypoints.reshape(-1)),
        *_round_px(face.error),
    ]


def _face_record(face: Face, number: int, names: Sequence[str]) -> dict[str, Any]:
    return {
        "id": _face_id(face, number),
        "box": _round_px(face.box),
        "score": round(face.score, _SCORE_DIGITS),
        "keypoints": {
            name: dict(zip(("x", "y", "error"), _round_px((*point, error)), strict=True))
            for name, point, error in zip(names, face.keypoints, face.error, strict=True)
        },
        "measures": {
            name: {
                "value": round(measured.value, _digits(name)),
                "error": round(measured.error, _digits(name)),
            }
            for name, measured in measure(face).items()
        },
    }


def _digits(name: str) -> int:
    return _PIXEL_DIGITS if name.endswith(("_px", "_deg")) else _SCORE_DIGITS


def _face_id(face: Face, number: int) -> int:
    return number if face.track_id is None else face.track_id


def _round_px(values: Any) -> list[float]:
    return [round(float(value), _PIXEL_DIGITS) for value in values]
