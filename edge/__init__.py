"""Faces and their 15 keypoints in colour photos, on small computers.

    import edge
    detect = edge.FaceKeypoints()
    faces = detect("photo.jpg")

Names are loaded when they are first used, so that `--help` and `--version` answer at once.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.alignment import align
    from edge.analysis.analyzer import Analyzer
    from edge.analysis.event import Event
    from edge.analysis.events import EventDetector
    from edge.analysis.expressions import Expressions
    from edge.analysis.quality import Quality, quality
    from edge.analysis.running_neutral import RunningNeutral
    from edge.analysis.state import FaceState
    from edge.analysis.visibility import Visibility
    from edge.anonymization import hide
    from edge.drawing import Picture, draw, show
    from edge.errors import EdgeError, ImageError, MissingExtra, ModelError, SourceError
    from edge.face import Face
    from edge.facekeypoints import FaceKeypoints
    from edge.formats.supervision import to_supervision
    from edge.image import load_image
    from edge.keypoints import KEYPOINT_NAMES
    from edge.measures import measure
    from edge.records import to_dataframe
    from edge.video.smoothing import Smoothing
    from edge.video.tracker import Tracker

__version__ = "0.1.0"

# From 1.29 on, onnxruntime tells its maker of each process, and keeps files for that in the home
# and temporary folders. It asks for this once, when it is first imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "KEYPOINT_NAMES",
    "Analyzer",
    "EdgeError",
    "Event",
    "EventDetector",
    "Expressions",
    "Face",
    "FaceKeypoints",
    "FaceState",
    "ImageError",
    "MissingExtra",
    "ModelError",
    "Picture",
    "Quality",
    "RunningNeutral",
    "Smoothing",
    "SourceError",
    "Tracker",
    "Visibility",
    "__version__",
    "align",
    "draw",
    "hide",
    "load_image",
    "measure",
    "quality",
    "show",
    "to_dataframe",
    "to_supervision",
]

_HOME = {
    "KEYPOINT_NAMES": "edge.keypoints",
    "Analyzer": "edge.analysis.analyzer",
    "EdgeError": "edge.errors",
    "Event": "edge.analysis.event",
    "EventDetector": "edge.analysis.events",
    "Expressions": "edge.analysis.expressions",
    "Face": "edge.face",
    "FaceKeypoints": "edge.facekeypoints",
    "FaceState": "edge.analysis.state",
    "ImageError": "edge.errors",
    "MissingExtra": "edge.errors",
    "ModelError": "edge.errors",
    "Quality": "edge.analysis.quality",
    "RunningNeutral": "edge.analysis.running_neutral",
    "Picture": "edge.drawing",
    "Smoothing": "edge.video.smoothing",
    "SourceError": "edge.errors",
    "Tracker": "edge.video.tracker",
    "Visibility": "edge.analysis.visibility",
    "align": "edge.alignment",
    "draw": "edge.drawing",
    "hide": "edge.anonymization",
    "load_image": "edge.image",
    "measure": "edge.measures",
    "quality": "edge.analysis.quality",
    "to_supervision": "edge.formats.supervision",
    "show": "edge.drawing",
    "to_dataframe": "edge.records",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'edge' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
