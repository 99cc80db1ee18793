"""The settings with which networks are opened, and opened again in another process."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from edge.networks.contract import Precision

_MAX_THREADS = 256
_MIN_DETECT_SIZE = 32  # px


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of an open `FaceKeypoints`; `FaceKeypoints(**settings.to_dict())` opens another.

    Attributes:
        model: the keypoint network's file, absolute.
        detector: the detector's file, absolute, or "haar" or "none".
        precision: None, as the files above are of the precision that was chosen.
        threads: threads that detection and one network run may use.
        min_score: faces below it are dropped, 0–1.
        max_faces: faces kept per image at most; None keeps all.
        detect_size: the longer side at which faces are detected, px.
        points68: whether the 68 points are predicted too.
        any_roll: whether images without a sure face are searched rotated too.
    """

    model: Path
    detector: str | Path
    precision: Precision | None
    threads: int
    min_score: float
    max_faces: int | None
    detect_size: int
    points68: bool
    any_roll: bool

    def to_dict(self) -> dict[str, Any]:
        """The keyword arguments of `FaceKeypoints`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def check_settings(threads: int, min_score: float, max_faces: int | None, detect_size: int) -> None:
    """Raise ValueError unless each lies within its range."""
    if not 1 <= threads <= _MAX_THREADS:
        raise ValueError(f"threads must lie between 1 and {_MAX_THREADS}, received {threads}")
    if not 0 <= min_score <= 1:
        raise ValueError(f"min_score must lie between 0 and 1, received {min_score}")
    if max_faces is not None and max_faces < 1:
        raise ValueError(f"max_faces must be at least 1 or None, received {max_faces}")
    if detect_size < _MIN_DETECT_SIZE:
        raise ValueError(
            f"detect_size must be at least {_MIN_DETECT_SIZE} px, received {detect_size}"
        )
