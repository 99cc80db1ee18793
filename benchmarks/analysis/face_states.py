"""Errors of what is measured of faces: eye and lip openings, distance, and facing the camera.

Legend: F faces, H heads.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets.photos import Photo, detect_annotated
from benchmarks.datasets.yawns import SET, is_yawning
from benchmarks.head_pose import project, rotation
from edge.analysis.analyzer import Analyzer
from edge.analysis.head import FACING_DEG, measure_head
from edge.evaluation.metrics import area_under_curve
from edge.face import Face
from edge.facekeypoints import FaceKeypoints
from edge.geometry.camera import Camera
from edge.image import load_image
from edge.keypoints import KEYPOINT_NAMES

Array = NDArray[np.float64]

_FOCAL_PX = 800.0
_NEAR_CM, _FAR_CM = 30.0, 150.0
_MAX_YAW_DEG, _MAX_PITCH_DEG = 45.0, 25.0
_NOISE = 0.016  # of a coordinate, in parts of the outer eye corners' distance
_RADIUS = 1.1774  # of a circular normal distribution's median, in standard deviations
_POSES = 10  # of each head


def measure_openings(
    detect: FaceKeypoints,
    analyze: Analyzer,
    photos: list[Photo],
    labelled: NDArray[np.floating],
) -> dict[str, float]:
    """Openings of eyes against hand-labelled lids.

    Args:
        detect: finds the faces.
        analyze: measures them.
        photos: with one labelled face each.
        labelled: openings `(F, 2)` of the right and the left eye, NaN where unknown.

    Returns:
        `eyes`, their number; `mean`, the labelled opening; `difference`, the mean absolute
        difference; `bias`, the mean of measured minus labelled; `within`, the share within the
        stated probable error; `stated`, the median of that error.
    """
    measured, stated = np.full((2, len(photos), 2), np.nan)
    for i, face in enumerate(detect_annotated(detect, photos)):
        if face is not None:
            [state] = analyze(photos[i].grey, [face])
            eyes = (state.eye_opening_right, state.eye_opening_left)
            for k, eye in enumerate(eyes):
                if eye is not None:
                    measured[i, k], stated[i, k] = eye.value, eye.error
    return _summary(measured - labelled, stated) | {"mean": _round(np.nanmean(labelled))}


def _summary(difference: Array, stated: Array) -> dict[str, float]:
    known = np.isfinite(difference)
    difference, stated = difference[known], stated[known]
    return {
        "eyes": len(difference),
        "difference": _round(np.abs(difference).mean()),
        "bias": _round(difference.mean()),
        "within": _round((np.abs(difference) <= stated).mean()),
        "stated": _round(np.median(stated)),
    }


def measure_yawns(detect: FaceKeypoints, analyze: Analyzer, folder: Path) -> dict[str, float]:
    """How well the lip opening tells drivers of `varied/` who yawn.

    Returns:
        `faces`, those found; `yawning`, how many of them yawn; `area`, the area under the curve of
        true over false positives.
    """
    openings, labels = [], []
    for line in (folder / "annotations.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["set"] != SET:
            continue
        image = load_image(folder / row["image"])
        faces = detect(image)[:1]
        for state in analyze(image, faces):
            if state.lip_opening is not None:
                openings.append(state.lip_opening.value)
                labels.append(is_yawning(row["image"]))
    yawning = np.array(labels)
    return {
        "faces": len(labels),
        "yawning": int(yawning.sum()),
        "area": _round(_area(np.array(openings), yawning)),
    }


def measure_heads(heads: Array, rng: np.random.Generator) -> dict[str, dict[str, float]]:
    """Distance and facing of heads `(H, 15, 3)` cm at random distances and poses.

    Returns:
        `distance`: mean relative `difference`, `bias`, share `within` the probable error, and the
        `stated` relative error; `facing`: `difference`, between the mean probability and the share
        of heads that face the camera, and `area`, under the curve.
    """
    camera = Camera(1 / _FOCAL_PX, 0.0, (0.0, 0.0))
    relative, stated, facing, truth = [], [], [], []
    for head in np.repeat(heads, _POSES, axis=0):
        distance = rng.uniform(_NEAR_CM, _FAR_CM)
        roll, yaw, pitch = rng.uniform(-1, 1, 3) * (30.0, _MAX_YAW_DEG, _MAX_PITCH_DEG)
        seen = project(head, rotation(roll, yaw, pitch), distance) * _FOCAL_PX / distance / 20.0
        deviation = _NOISE * float(np.ptp(seen[:, 0]))
        face = _face(seen + rng.normal(0, deviation, seen.shape), _RADIUS * deviation)
        state = measure_head(face, camera)
        if state is None or state.distance_cm is None:
            continue
        relative.append(state.distance_cm.value / distance - 1)
        stated.append(state.distance_cm.error / distance)
        facing.append(state.facing)
        truth.append(np.hypot(yaw, pitch) < FACING_DEG)
    share = np.array(truth)
    return {
        "distance": _summary(np.array(relative), np.array(stated)),
        "facing": {
            "difference": _round(np.mean(facing) - share.mean()),
            "area": _round(_area(np.array(facing), share)),
        },
    }


def _face(points: Array, error: float) -> Face:
    return Face(
        box=np.zeros(4, np.float32),
        score=1.0,
        keypoints=np.asarray(points, np.float32),
        error=np.full(len(KEYPOINT_NAMES), error, np.float32),
    )


def _area(scores: Array, positive: NDArray[np.bool_]) -> float:
    return area_under_curve(scores[positive], scores[~positive])


def _round(value: np.floating | float) -> float:
    return round(float(value), 4)
