"""What a bug report needs: versions, models, processor, and what was chosen on it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
from pathlib import Path

from edge import __version__
from edge.networks.contract import Precision
from edge.networks.cpu import cpu_lines, processor_name
from edge.networks.face_detector import EMBEDDED as FACE
from edge.networks.keypoint_model import EMBEDDED as KEYPOINTS
from edge.networks.precision import int8_file, is_int8, open_face_detector, open_keypoint_model

_PACKAGES = ("numpy", "onnxruntime", "pillow", "opencv-python-headless")
# What makes 8-bit integer products fast: on x86 AVX-512 VNNI and AVX-VNNI, on ARM the dot product.
_INT8_FEATURES = ("avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")


def describe(
    model: str | Path | None = None,
    precision: Precision = "auto",
    threads: int = 1,
    detector: str | Path = "face",
) -> str:
    """One fact a line.

    Args:
        model: as `FaceKeypoints` takes it.
        precision: likewise.
        threads: likewise.
        detector: likewise.

    Raises:
        ModelError: as `FaceKeypoints`, for the keypoint network.
        ValueError: the precision is none of the three.
    """
    keypoints = KEYPOINTS if model is None else Path(model)
    face = _detector(detector)
    chosen = {"keypoints": open_keypoint_model(keypoints, precision, threads).path}
    if face is not None:
        chosen["detector"] = open_face_detector(face, precision, threads).path
    files = [*_files(keypoints), *(_files(face) if face else [])]
    facts = [
        ("edge", __version__),
        ("python", f"{platform.python_version()} on {platform.platform()}"),
        *((name, _version(name)) for name in _PACKAGES),
        ("processor", processor_name()),
        ("cores", str(os.cpu_count())),
        ("int8 features", _int8_features()),
        *(_model_fact(path) for path in files),
        *((f"precision, {what}", f"{_precision_of(path)} (asked: {precision})")
          for what, path in chosen.items()),
        ("threads", str(threads)),
    ]  # fmt: skip
    return "\n".join(f"{name + ':':<24}{value}" for name, value in facts)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _int8_features() -> str:
    words = {word for line in cpu_lines() for word in line.split()}
    found = [feature for feature in _INT8_FEATURES if feature in words]
    return ", ".join(found) if found else "none known"


def _files(full: Path) -> list[Path]:
    return [path for path in (full, int8_file(full)) if path.is_file()]


def _detector(detector: str | Path) -> Path | None:
    if detector in ("haar", "none"):
        return None
    return FACE if detector == "face" else Path(detector)


def _model_fact(path: Path) -> tuple[str, str]:
    data = path.read_bytes()
    return path.name, f"{len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}"


def _precision_of(path: Path) -> str:
    return "int8" if is_int8(path) else "fp32"
