"""`python -m benchmarks.peers install`: what is measured beside this package.

An environment a peer under one folder, so that none sees another's packages. A peer that cannot be
installed leaves the reason there, and the comparison has a row that says it.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOME = Path("runs/peers")
_ROOT = Path(__file__).parents[1]
_OURS = str(_ROOT)
_FAILED = "failed.txt"
_NOT_A_PEERS = ("pip", "setuptools", "wheel", "_distutils_hack", "__pycache__")
_MODELS = "shape_predictor_68_face_landmarks.dat"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to find faces.

    Attributes:
        name: as reports show it.
        peer: whose environment it runs in.
        options: for `benchmarks.comparison.worker`.
        video: whether it follows faces through a video rather than looking at photos.
        needs: the name of the file that must be given for it, or "".
    """

    name: str
    peer: str
    options: dict[str, Any]
    video: bool = False
    needs: str = ""


# OpenCV 5 has no cascades, and later wheels of MediaPipe come without their models.
PEERS: dict[str, tuple[str, ...]] = {
    "edge": (_OURS,),
    "mediapipe": ("mediapipe==0.10.21",),
    "opencv": ("opencv-python-headless==4.14.0.94", _OURS),
    "dlib": ("dlib-bin", "face_recognition_models", "numpy", "setuptools<81"),
}
_OURS_FP32 = {"way": "edge", "precision": "fp32"}
_OURS_INT8 = {"way": "edge", "precision": "int8"}
_ALT2 = "haarcascade_frontalface_alt2.xml"
_DEFAULT = "haarcascade_frontalface_default.xml"
WAYS = (
    Way("edge fp32", "edge", _OURS_FP32),
    Way("edge int8", "edge", _OURS_INT8),
    Way("edge int8, one face", "edge", {**_OURS_INT8, "max_faces": 1}),
    Way("edge int8, 640 px", "edge", {**_OURS_INT8, "detect_size": 640}),
    Way("MediaPipe Face Mesh", "mediapipe", {"way": "mesh"}),
    Way("MediaPipe Face Mesh, all faces", "mediapipe", {"way": "mesh", "max_faces": 10}),
    Way("MediaPipe face detection", "mediapipe", {"way": "blaze"}),
    Way("Haar default", "opencv", {"way": "cascade", "cascade": _DEFAULT}),
    Way("Haar alt2", "opencv", {"way": "cascade", "cascade": _ALT2}),
    Way("Haar alt2 + our keypoints", "opencv", {**_OURS_FP32, "cascade": _ALT2}),
    Way("YuNet, 320 px", "opencv", {"way": "yunet", "detect_size": 320}, needs="yunet"),
    Way("dlib, 68 points", "dlib", {"way": "dlib"}),
    Way("given landmark model", "edge", {"way": "onnx"}, needs="landmarks"),
    Way("edge int8, tracked", "edge", {**_OURS_INT8, "video": True}, video=True),
    Way("edge fp32, tracked", "edge", {**_OURS_FP32, "video": True}, video=True),
    Way("MediaPipe Face Mesh, tracked", "mediapipe", {"way": "mesh", "video": True}, video=True),
)


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a peer is installed.

    Attributes:
        folder: the virtual environment.
        failure: why it is not there, or "".
    """

    folder: Path
    failure: str = field(default="")

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def size_mb(self) -> float:
        """What was installed for the peer, with all that it needs, 10⁶ bytes."""
        packages = next(self.folder.glob("lib/python*/site-packages"))
        parts = [path for path in packages.iterdir() if not path.name.startswith(_NOT_A_PEERS)]
        files = [file for part in parts for file in ([part] if part.is_file() else part.rglob("*"))]
        return sum(f.stat().st_size for f in files if f.is_file() and not _is_left_out(f)) / 1e6


def _is_left_out(file: Path) -> bool:
    """A package of models brings more than the one that is used; compiled files are made later."""
    return file.suffix == ".pyc" or (file.suffix == ".dat" and file.name != _MODELS)


def find(peer: str, home: Path) -> Environment:
    """The environment of a peer, installed or not."""
    folder = home / peer
    reason = folder / _FAILED
    if reason.exists():
        return Environment(folder, reason.read_text(encoding="utf-8").strip())
    if not Environment(folder).python.exists():
        return Environment(folder, "not installed; run python -m benchmarks.peers install")
    return Environment(folder)


def install(peer: str, home: Path) -> Environment:
    """Install a peer anew."""
    folder = home / peer
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    command = [
        str(Environment(folder).python), "-m", "pip", "install", "--quiet", *PEERS[peer],
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = lines[-1] if lines else "pip failed without a reason"
        (folder / _FAILED).write_text(f"{reason}\n", encoding="utf-8")
    return find(peer, home)


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers", description="Install what is measured beside ours."
    )
    parser.add_argument("action", choices=["install"], help="make an environment for each peer")
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"of {', '.join(PEERS)}; all")
    parser.add_argument("--home", type=Path, default=HOME, metavar="DIR",
        help="where the environments are (default: %(default)s)")  # fmt: skip
    args = parser.parse_args(argv)
    if unknown := set(args.peers) - set(PEERS):
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    failed = 0
    for peer in args.peers or PEERS:
        environment = install(peer, args.home)
        failed += bool(environment.failure)
        print(f"{peer}: {environment.failure or f'{environment.size_mb():.0f} MB'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
