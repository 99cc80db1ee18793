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
    from edge.aligning import align
    from edge.drawing import draw
    from edge.errors import EdgeError, ImageError, MissingExtra, ModelError, SourceError
    from edge.face import Face
    from edge.facekeypoints import FaceKeypoints
    from edge.hiding import hide
    from edge.image import load_image
    from edge.keypoints import KEYPOINT_NAMES
    from edge.measures import measure
    from edge.smoothing import Smoothing
    from edge.tracks import Tracker

__version__ = "0.1.0"

# From 1.29 on, onnxruntime tells its maker of each process, and keeps files for that in the home
# and temporary folders. It asks for this once, when it is first imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = [
    "KEYPOINT_NAMES",
    "EdgeError",
    "Face",
    "FaceKeypoints",
    "ImageError",
    "MissingExtra",
    "ModelError",
    "Smoothing",
    "SourceError",
    "Tracker",
    "__version__",
    "align",
    "draw",
    "hide",
    "load_image",
    "measure",
]

_HOME = {
    "KEYPOINT_NAMES": "edge.keypoints",
    "EdgeError": "edge.errors",
    "Face": "edge.face",
    "FaceKeypoints": "edge.facekeypoints",
    "ImageError": "edge.errors",
    "MissingExtra": "edge.errors",
    "ModelError": "edge.errors",
    "Smoothing": "edge.smoothing",
    "SourceError": "edge.errors",
    "Tracker": "edge.tracks",
    "align": "edge.aligning",
    "draw": "edge.drawing",
    "hide": "edge.hiding",
    "load_image": "edge.image",
    "measure": "edge.measures",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'edge' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
