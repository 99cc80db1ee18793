"""Results as JSON and as CSV: the one place that defines both schemas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from edge.extras import require
from edge.face import Face
from edge.keypoints import KEYPOINT_NAMES
from edge.measures import MeasureSettings, measure
from edge.networks.keypoint_model import Prediction

_PIXEL_DIGITS = 2
_SCORE_DIGITS = 4
TIME_DIGITS = 4  # of seconds
_DEFAULT_MEASURES = MeasureSettings()


def to_record(
    image: str,
    width: int,
    height: int,
    faces: Sequence[Face],
    names: Sequence[str],
    frame: int | None = None,
    time: float | None = None,
    measuring: MeasureSettings = _DEFAULT_MEASURES,
) -> dict[str, Any]:
    """One image's result as values that `json` can write.

    Args:
        image: name of the image.
        width: of the image with EXIF orientation applied, px.
        height: likewise, px.
        faces: found in it.
        names: names of the keypoints, in order.
        frame: number of the frame or crop, where the file holds several.
        time: when the frame is shown, seconds after the first of the video.
        measuring: how the faces are measured.
    """
    position = {"frame": frame, "time": None if time is None else round(time, TIME_DIGITS)}
    return {
        "image": image,
        **{key: value for key, value in position.items() if value is not None},
        "width": width,
        "height": height,
        "faces": [
            {
                **face_record(face, i, names),
                "measures": _measures_record(face, (width, height), measuring),
            }
            for i, face in enumerate(faces)
        ],
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
    return [
        to_record(image, size, size, [face], names, number)
        for number, face in enumerate(faces_of_crops(prediction, size))
    ]


def faces_of_crops(prediction: Prediction, size: int) -> list[Face]:
    """The face of each crop of `size` px; its box is the whole crop."""
    box = np.array([0, 0, size, size], np.float32)
    points68, error90 = prediction.points68, prediction.error90
    return [
        Face(
            box,
            float(prediction.face_score[i]),
            prediction.keypoints[i],
            prediction.error[i],
            points68=None if points68 is None else points68[i],
            error90=None if error90 is None else error90[i],
        )
        for i in range(len(prediction.face_score))
    ]


def csv_header(names: Sequence[str], points68: bool = False) -> list[str]:
    """Column names of the CSV: Kaggle's own 30 in the middle, the errors and 68 points at the end.

    Args:
        names: names of the keypoints, in order.
        points68: whether there are columns of the 68 points.
    """
    return [
        *("image", "frame", "face", "score", "box_x", "box_y", "box_w", "box_h"),
        *(f"{name}_{axis}" for name in names for axis in "xy"),
        *(f"{name}_error" for name in names),
        *(f"p68_{i}_{axis}" for i in range(68 if points68 else 0) for axis in "xy"),
    ]


def csv_row(image: str, frame: int, number: int, face: Face) -> list[str | int | float]:
    """One face as a row under `csv_header`; `frame` is 0 for a still image.

    A face with `points68` has their columns.
    """
    return [
        image,
        frame,
        _face_id(face, number),
        round(face.score, _SCORE_DIGITS),
        *_round_px(face.box),
        *_round_px(face.keypoints.reshape(-1)),
        *_round_px(face.error),
        *_round_px(() if face.points68 is None else face.points68.reshape(-1)),
    ]


def to_dataframe(
    results: Sequence[Face] | Sequence[Sequence[Face]], images: str | Sequence[object] | None = None
) -> Any:
    """Faces as a table of pandas, a row for each and the columns of `csv_header`.

    Args:
        results: of a call or of `FaceKeypoints.batch`.
        images: names for the column `image`: one for each list of a batch, a text alone for the
            faces of a call; None numbers them.

    Returns:
        A `pandas.DataFrame`; with the 68 points where all faces have them.

    Raises:
        MissingExtra: pandas is not installed.
        ValueError: there are more or fewer names than images.
    """
    pandas = require("pandas", "pandas", "a table of faces")
    lists = _as_lists(results)
    single = isinstance(images, str)
    names = list(range(len(lists))) if images is None else [images] if single else list(images)
    if len(names) != len(lists):
        raise ValueError(f"expected a name for each of {len(lists)} images, received {len(names)}")
    every = [face for faces in lists for face in faces]
    points68 = bool(every) and all(face.points68 is not None for face in every)
    rows = [
        csv_row(str(name), 0, number, face if points68 else replace(face, points68=None))
        for name, faces in zip(names, lists, strict=True)
        for number, face in enumerate(faces)
    ]
    return pandas.DataFrame(rows, columns=csv_header(KEYPOINT_NAMES, points68))


def _as_lists(results: Sequence[Any]) -> list[list[Face]]:
    if all(isinstance(face, Face) for face in results):
        return [list(results)]
    return [list(faces) for faces in results]


def face_record(
    face: Face, number: int | None = None, names: Sequence[str] = KEYPOINT_NAMES
) -> dict[str, Any]:
    """One face, without measures; `id` is its track, else `number`, or left out where both lack."""
    points68 = {}
    if face.points68 is not None:
        points68 = {"points68": [_round_px(point) for point in face.points68]}
    identity = number if face.track_id is None else face.track_id
    return {
        **({} if identity is None else {"id": identity}),
        "box": _round_px(face.box),
        "score": round(face.score, _SCORE_DIGITS),
        "keypoints": _keypoint_records(face, names),
        **points68,
    }


def _measures_record(
    face: Face, image_size: tuple[int, int], measuring: MeasureSettings
) -> dict[str, Any]:
    # An image that is all face is cut out of another, and nothing is known of its camera.
    is_crop = face.box[2:].tolist() == list(image_size)
    measures = measure(
        face,
        image_size=None if is_crop else image_size,
        focal_px=None if is_crop else measuring.focal_px,
        frontal=measuring.frontal,
    )
    return {
        name: {
            "value": round(measured.value, _digits(name)),
            "error": round(measured.error, _digits(name)),
        }
        for name, measured in measures.items()
    }


def _keypoint_records(face: Face, names: Sequence[str]) -> dict[str, dict[str, float]]:
    columns = {"x": face.keypoints[:, 0], "y": face.keypoints[:, 1], "error": face.error}
    if face.error90 is not None:
        columns["error90"] = face.error90
    rows = zip(*map(_round_px, columns.values()), strict=True)
    records = (dict(zip(columns, row, strict=True)) for row in rows)
    return dict(zip(names, records, strict=True))


def _digits(name: str) -> int:
    return _PIXEL_DIGITS if name.endswith(("_px", "_deg")) else _SCORE_DIGITS


def _face_id(face: Face, number: int) -> int:
    return number if face.track_id is None else face.track_id


def _round_px(values: Any) -> list[float]:
    return [round(float(value), _PIXEL_DIGITS) for value in values]
