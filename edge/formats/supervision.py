"""Faces as objects of the package `supervision`, for its annotators, trackers and zones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge.extras import require
from edge.face import Face
from edge.keypoints import KEYPOINT_NAMES


def to_supervision(faces: Sequence[Face]) -> tuple[Any, Any]:
    """The faces of one image for `supervision`.

    Args:
        faces: of a call.

    Returns:
        A `KeyPoints` with the 15 keypoints of each face, px; and a `Detections` with their boxes,
        scores and, where all have one, track numbers. Both have the class 0, named "face".

    Raises:
        MissingExtra: supervision is not installed.
    """
    sv = require("supervision", "supervision", "a conversion for supervision")
    count = len(faces)
    classes = np.zeros(count, int)
    data = {"class_name": np.full(count, "face")}
    points = np.array([face.keypoints for face in faces], np.float32)
    keypoints = sv.KeyPoints(
        xy=points.reshape(count, len(KEYPOINT_NAMES), 2), class_id=classes, data=data
    )
    boxes = np.array([face.box for face in faces], np.float32).reshape(count, 4)
    tracks = [face.track_id for face in faces]
    detections = sv.Detections(
        xyxy=np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1),
        confidence=np.array([face.score for face in faces], np.float32),
        class_id=classes,
        tracker_id=None if None in tracks or not tracks else np.array(tracks, int),
        data=data,
    )
    return keypoints, detections
