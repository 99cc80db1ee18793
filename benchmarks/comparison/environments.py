"""The methods that are compared, and the virtual environments that their packages are installed in.

Each peer has an environment of its own, so that their packages cannot conflict. If a peer cannot be
installed, its environment keeps the reason, and the comparison shows it.
"""

from __future__ import annotations

import shutil
import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness.project import ROOT

HOME = Path("runs/peers")
_FAILURE_FILE = "failed.txt"
_NOT_COUNTED = ("pip", "setuptools", "wheel", "_distutils_hack", "__pycache__")
# The package of dlib's models has several; one is used.
_USED_MODEL = "shape_predictor_68_face_landmarks.dat"


@dataclass(frozen=True, slots=True)
class Method:
    """A face detector with keypoints, as it is configured for the comparison.

    Attributes:
        name: as reports show it.
        peer: whose environment it runs in, a key of `PEERS`.
        options: of `benchmarks.comparison.worker`.
        video: whether it tracks faces through a video; otherwise it processes single photos.
        needs: the name of the model file that must be given, or "".
    """

    name: str
    peer: str
    options: dict[str, Any]
    video: bool = False
    needs: str = ""


# Requirements of pip. OpenCV 5 has no cascades, and later wheels of MediaPipe have no models.
PEERS: dict[str, tuple[str, ...]] = {
    "edge": (str(ROOT),),
    "mediapipe": ("mediapipe==0.10.21",),
    "opencv": ("opencv-python-headless==4.14.0.94", str(ROOT)),
    "dlib": ("dlib-bin", "face_recognition_models", "numpy", "setuptools<81"),
}
_EDGE_FP32 = {"method": "edge", "precision": "fp32"}
_EDGE_INT8 = {"method": "edge", "precision": "int8"}
_ALT2 = "haarcascade_frontalface_alt2.xml"
_DEFAULT = "haarcascade_frontalface_default.xml"
_MESH = {"method": "mesh"}
METHODS = (
    Method("edge fp32", "edge", _EDGE_FP32),
    Method("edge int8", "edge", _EDGE_INT8),
    Method("edge int8, one face", "edge", {**_EDGE_INT8, "max_faces": 1}),
    Method("edge int8, 640 px", "edge", {**_EDGE_INT8, "detect_size": 640}),
    Method("MediaPipe Face Mesh", "mediapipe", _MESH),
    Method("MediaPipe Face Mesh, all faces", "mediapipe", {**_MESH, "max_faces": 10}),
    Method("MediaPipe Face Mesh, refined", "mediapipe", {**_MESH, "max_faces": 10, "refine": True}),
    Method("MediaPipe face detection", "mediapipe", {"method": "blaze"}),
    Method("Haar default", "opencv", {"method": "cascade", "cascade": _DEFAULT}),
    Method("Haar alt2", "opencv", {"method": "cascade", "cascade": _ALT2}),
    Method("Haar alt2 + our keypoints", "opencv", {**_EDGE_FP32, "cascade": _ALT2}),
    Method("YuNet, 320 px", "opencv", {"method": "yunet", "detect_size": 320}, needs="yunet"),
    Method("dlib, 68 points", "dlib", {"method": "dlib"}),
    Method("given landmark model", "edge", {"method": "onnx"}, needs="landmarks"),
    Method("edge int8, tracked", "edge", {**_EDGE_INT8, "video": True}, video=True),
    Method("edge fp32, tracked", "edge", {**_EDGE_FP32, "video": True}, video=True),
    Method("MediaPipe Face Mesh, tracked", "mediapipe", {**_MESH, "video": True}, video=True),
)


@dataclass(frozen=True, slots=True)
class Environment:
    """A peer's virtual environment.

    Attributes:
        folder: its path.
        failure: why it cannot be used, or "".
    """

    folder: Path
    failure: str = ""

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def size_mb(self) -> float:
        """Size of the peer's packages and their dependencies, 10⁶ bytes."""
        packages = next(self.folder.glob("lib/python*/site-packages"))
        parts = [path for path in packages.iterdir() if not path.name.startswith(_NOT_COUNTED)]
        files = [file for part in parts for file in ([part] if part.is_file() else part.rglob("*"))]
        return sum(f.stat().st_size for f in files if f.is_file() and _is_counted(f)) / 1e6


def _is_counted(file: Path) -> bool:
    """Whether a file is needed: no bytecode, which is written later, and no unused model."""
    return file.suffix != ".pyc" and (file.suffix != ".dat" or file.name == _USED_MODEL)


def find_environment(peer: str, home: Path) -> Environment:
    """The environment of a peer, installed or not.

    Args:
        peer: a key of `PEERS`.
        home: folder of all environments.
    """
    folder = home / peer
    reason = folder / _FAILURE_FILE
    if reason.exists():
        return Environment(folder, reason.read_text(encoding="utf-8").strip())
    if not Environment(folder).python.exists():
        return Environment(folder, "not installed; run python -m benchmarks.peers install")
    return Environment(folder)


def install_peer(peer: str, home: Path) -> Environment:
    """Install a peer, in place of an older installation.

    Args:
        peer: a key of `PEERS`.
        home: folder of all environments.

    Returns:
        Its environment; a failure of pip is in its `failure`.
    """
    folder = home / peer
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    python = Environment(folder).python
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", *PEERS[peer]],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = errors[-1] if errors else "pip failed without a reason"
        (folder / _FAILURE_FILE).write_text(f"{reason}\n", encoding="utf-8")
    return find_environment(peer, home)
