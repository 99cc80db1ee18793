"""The stages of a tracked frame, each with its least work, as `benchmarks.work` has a photo's.

The video is that of the comparison with peers, a face that moves, rotates and changes its size.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.comparison.environments import METHODS, find_environment
from benchmarks.comparison.interleaved import save_images, video_frames
from benchmarks.comparison.worker_process import Worker
from benchmarks.harness.machine import describe_machine
from benchmarks.latency.model_size import count_multiply_adds
from benchmarks.work import copy_rate, cpu_ms, fastest_matrix_rate
from edge.facekeypoints import FaceKeypoints
from edge.geometry.affine import scale_of
from edge.image import Rgb
from edge.networks.keypoint_model import KeypointModel
from edge.video import observation, track
from edge.video.tracker import Tracker

PEER = "MediaPipe Face Mesh, tracked"
_ROUNDS = 6
_RGB_AND_GREY = 4  # bytes of a pixel of the window, read in colour and written in grey
_END_TO_END = "end to end"
_NAMES = ("grey and crop", "keypoint network", "appearance template", "smoothing and result",
          "detection every third of a second")  # fmt: skip

_Stages = dict[str, dict[str, float]]  # `cpu_ms`, and of its work `bytes` or `multiply_adds`


def run(scratch: Path, home: Path | None) -> dict[str, Any]:
    """Measure the stages of a tracked frame.

    Args:
        scratch: a folder for temporary files.
        home: folder of the peers' environments; None leaves MediaPipe out.

    Raises:
        OSError: MediaPipe cannot be run.
    """
    detect, frames = FaceKeypoints(), video_frames()
    recorder = _Recorder(count_multiply_adds(detect.model.path))
    rounds, peer = [], []
    with ExitStack() as stack:
        recorder.patch(stack)
        worker = stack.enter_context(_peer(home)) if home else None
        archive = save_images(scratch / "frames.npz", frames) if worker else None
        for _ in range(_ROUNDS):
            rounds.append(recorder.track(Tracker(detect), frames))
            if worker and archive:
                peer.append(worker.ask("time", **archive.request())["cpu_ms"])
    return {
        "machine": describe_machine(threads=1),
        "files": [detect.model.path.name, Path(detect.settings.detector).name],
        "copied_gb_per_second": round(copy_rate(), 2),
        "matrix_gflops": round(fastest_matrix_rate(), 1),
        "stages": _means(rounds),
        "peer": PEER,
        "peer_cpu_ms": float(np.min(peer, axis=0).mean()) if peer else None,
    }


def _peer(home: Path) -> Worker:
    method = next(method for method in METHODS if method.name == PEER)
    return Worker(method, find_environment(method.peer, home), 1, None)


class _Recorder:
    """Times the stages of a frame where they are called, and counts their work."""

    def __init__(self, adds_per_face: int) -> None:
        self._adds_per_face = adds_per_face
        self._now: _Stages = {}

    def track(self, tracker: Tracker, frames: list[Rgb]) -> list[_Stages]:
        """The stages of each frame."""
        stages = []
        for number, frame in enumerate(frames):
            self._now = {}
            total = cpu_ms(partial(tracker, frame, number / 30))
            rest = total - sum(stage["cpu_ms"] for stage in self._now.values())
            stages.append(
                {**self._now, "the rest": {"cpu_ms": rest}, _END_TO_END: {"cpu_ms": total}}
            )
        return stages

    def patch(self, stack: ExitStack) -> None:
        """Time the functions of the stages until `stack` is closed."""
        functions = (
            (observation, "cut_face", self._window),
            (KeypointModel, "_run", self._network),
            (track, "template_of", None),
            (Tracker, "_face", None),
            (FaceKeypoints, "detect_others", None),
        )
        for name, (owner, function, work) in zip(_NAMES, functions, strict=True):
            timed = self._timed(name, getattr(owner, function), work)
            stack.enter_context(patch.object(owner, function, timed))

    def _window(self, crop: Any, _: Any, matrix: Any, size: int) -> tuple[str, float]:
        return "bytes", crop.size + _RGB_AND_GREY * (size / scale_of(matrix)) ** 2

    def _network(self, _: Any, __: Any, faces: Any, ___: Any) -> tuple[str, float]:
        return "multiply_adds", float(len(faces) * self._adds_per_face)

    def _timed(
        self, name: str, function: Callable[..., Any], work: Callable[..., Any] | None
    ) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            result: list[Any] = []
            inner, self._now = self._now, {}  # a stage counts whole, with those within it
            elapsed = cpu_ms(lambda: result.append(function(*arguments)))
            self._now = inner
            stage = self._now.setdefault(name, {"cpu_ms": 0.0})
            stage["cpu_ms"] += elapsed
            if work:
                unit, amount = work(result[0], *arguments)
                stage[unit] = stage.get(unit, 0.0) + amount
            return result[0]

        return timed


def _means(rounds: list[list[_Stages]]) -> _Stages:
    """The mean stages of a frame, each frame in its fastest round."""
    fastest = [
        min(frame, key=lambda stages: stages[_END_TO_END]["cpu_ms"])
        for frame in zip(*rounds, strict=True)
    ]
    return {
        name: {
            key: float(np.mean([frame.get(name, {}).get(key, 0.0) for frame in fastest]))
            for key in sorted({key for frame in fastest for key in frame.get(name, {})})
        }
        for name in (*_NAMES, "the rest", _END_TO_END)
    }
