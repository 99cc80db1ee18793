"""Faces and their 15 keypoints in colour photos, on small computers.

    import edge
    detect = edge.FaceKeypoints()
    faces = detect("photo.jpg")

Names are loaded when they are first used, so that `--help` and `--version` answer at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.drawing import draw
    from edge.errors import EdgeError, ImageError, MissingExtra, ModelError, SourceError
    from edge.face import Face
    from edge.facekeypoints import FaceKeypoints
    from edge.image import load_image
    from edge.keypoints import KEYPOINT_NAMES

__version__ = "0.1.0"

__all__ = [
    "KEYPOINT_NAMES",
    "EdgeError",
    "Face",
    "FaceKeypoints",
    "ImageError",
    "MissingExtra",
    "ModelError",
    "SourceError",
    "__version__",
    "draw",
    "load_image",
]

_HOME = {
    "KEYPOINT_NAMES": "edge.keypoints",
    "EdgeError": "edge.errors",
    "Face": "edge.face",
    "FaceKeypoints": "edge.facekeypoints",
    "ImageError": "edge.errors",
    "MissingExtra": "edge.errors",
    "ModelError": "edge.errors",
    "SourceError": "edge.errors",
    "draw": "edge.drawing",
    "load_image": "edge.image",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'edge' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
