"""What a bug report needs: versions, models, processor, and what was chosen on it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
from pathlib import Path

from edge import __version__
from edge.detector import EMBEDDED as FACE
from edge.model import EMBEDDED as KEYPOINTS
from edge.model import KeypointModel, open_model

_PACKAGES = ("numpy", "onnxruntime", "pillow", "opencv-python-headless")
# What makes 8-bit integer products fast: on x86 AVX-512 VNNI and AVX-VNNI, on ARM the dot product.
_INT8_FEATURES = ("avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")
_CPU_FILE = Path("/proc/cpuinfo")


def describe(
    model: str | Path | None = None,
    precision: str = "auto",
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
    chosen = open_model(model, precision, threads)
    facts = [
        ("edge", __version__),
        ("python", f"{platform.python_version()} on {platform.platform()}"),
        *((name, _version(name)) for name in _PACKAGES),
        ("processor", _processor()),
        ("cores", str(os.cpu_count())),
        ("int8 features", _int8_features()),
        *(_model_fact(path) for path in [*_model_files(model), *_detector_file(detector)]),
        ("precision", f"{_precision_of(chosen)} (asked: {precision})"),
        ("threads", str(threads)),
    ]
    return "\n".join(f"{name + ':':<24}{value}" for name, value in facts)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    for line in _cpu_lines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model"):
            return value.strip()
    return platform.processor() or platform.machine()


def _int8_features() -> str:
    words = {word for line in _cpu_lines() for word in line.split()}
    found = [feature for feature in _INT8_FEATURES if feature in words]
    return ", ".join(found) if found else "none known"


def _cpu_lines() -> list[str]:
    try:
        return _CPU_FILE.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []  # not Linux


def _model_files(model: str | Path | None) -> list[Path]:
    keypoints = KEYPOINTS if model is None else Path(model)
    files = [keypoints, keypoints.with_suffix(f".int8{keypoints.suffix}")]
    return [path for path in files if path.is_file()]


def _detector_file(detector: str | Path) -> list[Path]:
    path = FACE if detector == "face" else Path(detector)
    return [path] if path.is_file() else []


def _model_fact(path: Path) -> tuple[str, str]:
    data = path.read_bytes()
    return path.name, f"{len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}"


def _precision_of(model: KeypointModel) -> str:
    return "int8" if ".int8" in model.path.suffixes else "fp32"
