"""The facts of a bug report: versions, model files, processor, and the precision in use."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
from pathlib import Path

from edge import __version__
from edge.facekeypoints import FaceKeypoints
from edge.networks.contract import Precision
from edge.networks.cpu import cpu_lines, processor_name
from edge.networks.precision import int8_file, is_int8, measured_ratio

_PACKAGES = ("numpy", "onnxruntime", "pillow", "opencv-python-headless", "av")
# CPU flags of fast 8-bit integer products: on x86 VNNI and AMX, on ARM the dot product.
_INT8_FEATURES = ("avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")


def describe(detect: FaceKeypoints, requested: Precision) -> str:
    """Describe the software, the hardware and the open models.

    Args:
        detect: the open models.
        requested: the precision with which they were opened.

    Returns:
        One `name: value` per line.
    """
    opened = {"keypoints": detect.model.path}
    if detect.face_detector.path is not None:
        opened["detector"] = detect.face_detector.path
    facts = [*_software(), *_hardware()]
    for path in opened.values():
        facts += _files(path)
    for name, path in opened.items():
        facts.append((f"precision, {name}", f"{_precision(path)} (requested: {requested})"))
    threads = detect.settings.threads
    if requested == "auto":
        for name, path in opened.items():
            if (ratio := measured_ratio(_full(path), threads)) is not None:
                facts.append((f"int8, {name}", f"{ratio:.0%} of the time of fp32 here"))
    facts.append(("threads", str(threads)))
    return "\n".join(f"{name + ':':<27}{value}" for name, value in facts)


def _software() -> list[tuple[str, str]]:
    return [
        ("edge", __version__),
        ("python", f"{platform.python_version()} on {platform.platform()}"),
        *((name, _package_version(name)) for name in _PACKAGES),
    ]


def _package_version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _hardware() -> list[tuple[str, str]]:
    flags = {word for line in cpu_lines() for word in line.split()}
    features = [feature for feature in _INT8_FEATURES if feature in flags]
    return [
        ("processor", processor_name()),
        ("cores", str(os.cpu_count())),
        ("int8 features", ", ".join(features) or "none detected"),
    ]


def _files(opened: Path) -> list[tuple[str, str]]:
    """The size and hash of a model file, and of the same model's file in the other precision."""
    full, facts = _full(opened), []
    for path in (full, int8_file(full)):
        if path.is_file():
            data = path.read_bytes()
            digest = hashlib.sha256(data).hexdigest()
            facts.append((path.name, f"{len(data):,} bytes, SHA-256 {digest}"))
    return facts


def _full(path: Path) -> Path:
    """The fp32 file of a network, from that of either precision."""
    name = path.name.removesuffix(path.suffix).removesuffix(".int8")
    return path.with_name(name + path.suffix)


def _precision(path: Path) -> Precision:
    return "int8" if is_int8(path) else "fp32"
