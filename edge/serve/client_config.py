"""The description of the server at `/v1/model`, with the settings for inference in the browser.

The page's JavaScript takes every constant of the pipeline from here and holds no copy of its own.
The JSON keys are part of the HTTP interface; some are older than the names in the code.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from edge import __version__, refinement, suppression
from edge.analysis import eyes, mouth_events, quality, state
from edge.facekeypoints import FaceKeypoints
from edge.files import package_folder
from edge.fusion import DETECTOR_SCORE, KEYPOINTS_BOX
from edge.geometry import camera, head_fit, head_shape
from edge.geometry.face_frame import BOX_DOWN, BOX_HEIGHT, BOX_WIDTH, CROP, MEAN_FACE
from edge.geometry.points68 import LINES_68, MIRROR_ORDER_68
from edge.keypoints import MIRROR_ORDER
from edge.measures import MEASURES
from edge.networks import tiling
from edge.networks.detections import Detector
from edge.networks.face_detector import ENLARGE, NEAR, SHORTER, STEP, FaceDetector
from edge.serve.limits import Limits

PAGE = package_folder("serve", "page")
ORT = PAGE / "ort" / "ort.wasm.min.mjs"
ORT_WEBGPU = ORT.with_name("ort.webgpu.min.mjs")
_MODE_DIGITS = 4  # of a cm
_LIMIT_KEYS = {"images": "pictures", "decoded_bytes": "room_bytes"}


def browser_obstacle(detect: FaceKeypoints) -> str | None:
    """Why the page cannot run the networks in the browser; None if it can."""
    if detect.face_detector.path is None:
        return "the server was started with a detector that has no .onnx file"
    if not ORT.is_file():
        return "onnxruntime-web is not installed; run: make page"
    return None


def describe_server(detect: FaceKeypoints, limits: Limits, live: bool) -> dict[str, Any]:
    """The response of `/v1/model`: versions, metadata, limits and settings, ready for `json`.

    Args:
        detect: the open models.
        limits: the server's limits.
        live: whether there is a live stream.
    """
    return {
        "version": __version__,
        "keypoints": {"file": detect.model.path.name, **detect.model.metadata},
        "detector": _describe_detector(detect.face_detector),
        "limits": {
            **{_LIMIT_KEYS.get(key, key): value for key, value in asdict(limits).items()},
            "batch_seconds": 0.0,  # of 0.1; goes in 0.3
        },
        "live": live,
        "in_browser": browser_obstacle(detect),
        "settings": _settings(detect),
    }


def _describe_detector(detector: Detector) -> dict[str, Any] | None:
    if not isinstance(detector, FaceDetector):
        return None
    return {"file": detector.path.name, **detector.metadata}


def _settings(detect: FaceKeypoints) -> dict[str, Any]:
    return {
        "keypoint_names": list(detect.keypoint_names),
        "error90": None if detect.model.error90 is None else detect.model.error90.tolist(),
        "points68": {
            "available": detect.model.has_points68,
            "requested": detect.points68,
            "lines": [list(line) for line in LINES_68],
        },
        "states": {
            "closed_opening": eyes.CLOSED_OPENING,
            "yawn_opening": mouth_events.YAWN.enter,
            "straight_deg": 0,
            "measures": list(state.MEASURES),
            "shares": [*state.SHARES, *state.TEXTS],
            "quality": list(quality.PARTS),
        },
        "webgpu": ORT_WEBGPU.is_file(),
        "crop": detect.model.size,
        "min_score": detect.min_score,
        "max_faces": detect.max_faces,
        "max_shared": suppression.DUPLICATE_IO_MIN,
        "unsure": suppression.SUPPRESS_RATIO,
        "duplicates": {
            "same_distance": suppression.SAME_DISTANCE,
            "apart_distance": suppression.APART_DISTANCE,
            "nested_iou": suppression.NESTED_IOU,
            "certain_smaller": suppression.CERTAIN_SMALLER,
            "certain_larger": suppression.CERTAIN_LARGER,
        },
        "joint": {"detector_score": DETECTOR_SCORE, "keypoints_box": KEYPOINTS_BOX},
        "detect_size": detect.detect_size,
        "detector": {
            "step": STEP,
            "shorter": list(SHORTER),
            "enlarge": ENLARGE,
            "near": NEAR,
            "tiling": {
                "max_aspect": tiling.MAX_ASPECT,
                "short_overlap": tiling.SHORT_OVERLAP,
                "long_overlap": tiling.LONG_OVERLAP,
                "smallest_face": tiling.SMALLEST_FACE,
                "max_iou": tiling.MAX_IOU,
                "edge": tiling.EDGE,
            },
        },
        "box": {"width": BOX_WIDTH, "height": BOX_HEIGHT, "down": BOX_DOWN},
        "mean_face": {"side": CROP, "points": MEAN_FACE.tolist()},
        "looks": _refinement_settings(),
        "measures": {
            "names": list(MEASURES),
            "mirror_order": list(MIRROR_ORDER),
            "mean_head": head_shape.MEAN_HEAD.tolist(),
            "head_modes": np.round(head_shape.HEAD_MODES, _MODE_DIGITS).tolist(),
            "head_fit": _head_fit_settings(),
        },
    }


def _head_fit_settings() -> dict[str, float | list[list[float]]]:
    return {
        "inverse_focal": 1 / camera.ASSUMED_FOCAL,
        "inverse_focal_deviation": camera.INVERSE_FOCAL_DEVIATION,
        "min_deviation": head_fit.MIN_DEVIATION_CM,
        "max_steps": head_fit.MAX_STEPS,
        "last_step": head_fit.LAST_STEP,
        "near_step": head_fit.NEAR_STEP,
        "longest_step": head_fit.LONGEST_STEP,
        "usual_chi_squared": head_fit.USUAL_CHI_SQUARED,
        "start": head_fit.START.tolist(),
    }


def _refinement_settings() -> dict[str, float | list[int]]:
    return {
        "most": refinement.MAX_PASSES,
        "max_tilt_deg": refinement.MAX_ROLL_DEG,
        "max_log_scale": refinement.MAX_LOG_SCALE,
        "max_shift": refinement.MAX_SHIFT,
        "min_score": refinement.MIN_RERUN_SCORE,
        "fused_limits": refinement.FUSED_LIMITS,
        "sure_error": refinement.SURE_ERROR,
        "mirror_order_68": list(MIRROR_ORDER_68),
    }
