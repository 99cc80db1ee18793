"""What the server tells of itself, and what a page needs to run the same networks in a browser.

Numbers that the page works with are those of `edge`: the page holds no second copy.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge import __version__, refinement
from edge.facekeypoints import DUPLICATE_IO_MIN, SUPPRESS_RATIO, FaceKeypoints
from edge.fusion import DETECTOR_SCORE, KEYPOINTS_BOX
from edge.geometry import head_pose
from edge.geometry.face_frame import BOX_DOWN, BOX_HEIGHT, BOX_WIDTH, CROP, MEAN_FACE
from edge.keypoints import MIRROR_ORDER
from edge.measures import MEASURES
from edge.networks.face_detector import ENLARGE, NEAR, SHORTER, STEP, FaceDetector
from edge.serve.limits import Limits

PAGE = Path(__file__).parent / "page"
ORT = PAGE / "ort" / "ort.wasm.min.mjs"


def why_not_in_browser(detect: FaceKeypoints) -> str | None:
    """Why the page cannot run the networks itself; None where it can."""
    if detect.face_detector.path is None:
        return "the server was started with a detector that has no .onnx file"
    if not ORT.is_file():
        return "onnxruntime-web is not set up; run: make page"
    return None


def describe_server(detect: FaceKeypoints, limits: Limits, live: bool) -> dict[str, Any]:
    """Versions, metadata of the networks, limits and settings, as values that `json` can write."""
    opened = detect.face_detector
    face_detector = opened if isinstance(opened, FaceDetector) else None
    return {
        "version": __version__,
        "keypoints": {"file": detect.model.path.name, **detect.model.metadata},
        "detector": face_detector and {"file": face_detector.path.name, **face_detector.metadata},
        "limits": asdict(limits),
        "live": live,
        "in_browser": why_not_in_browser(detect),
        "settings": _settings(detect),
    }


def _settings(detect: FaceKeypoints) -> dict[str, Any]:
    return {
        "keypoint_names": list(detect.keypoint_names),
        "crop": detect.model.size,
        "min_score": detect.min_score,
        "max_faces": detect.max_faces,
        "max_shared": DUPLICATE_IO_MIN,
        "unsure": SUPPRESS_RATIO,
        "joint": {"detector_score": DETECTOR_SCORE, "keypoints_box": KEYPOINTS_BOX},
        "detect_size": detect.detect_size,
        "detector": {
            "step": STEP,
            "shorter": list(SHORTER),
            "enlarge": ENLARGE,
            "near": NEAR,
        },
        "box": {"width": BOX_WIDTH, "height": BOX_HEIGHT, "down": BOX_DOWN},
        "mean_face": {"side": CROP, "points": MEAN_FACE.tolist()},
        "looks": {
            "most": refinement.MAX_PASSES,
            "max_tilt_deg": refinement.MAX_ROLL_DEG,
            "max_log_scale": refinement.MAX_LOG_SCALE,
            "max_shift": refinement.MAX_SHIFT,
            "min_score": refinement.MIN_SCORE,
        },
        "measures": {
            "names": list(MEASURES),
            "mean_head": head_pose.MEAN_HEAD.tolist(),
            "mirror_order": list(MIRROR_ORDER),
        },
    }
