"""`python -m benchmarks.work DATA`: for each stage of a photo the time, and that of the least work.

The least time of a stage is that of its bytes, each read or written once at the rate of a copy, or
of its multiply-adds at the core's matrix rate, which networks in 8 bits may exceed. The photos are
helen's, decoded beforehand. Times are CPU times of one thread, of each photo in its fastest
round, so that other processes disturb them little. With `--peers` MediaPipe Face Mesh processes
the same photos, interleaved.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image, ImageOps

from benchmarks.comparison.environments import HOME, METHODS, find_environment
from benchmarks.comparison.interleaved import save_images
from benchmarks.comparison.worker_process import Worker
from benchmarks.datasets.photos import read_images
from benchmarks.harness.exit_status import report_results
from benchmarks.harness.machine import describe_machine
from benchmarks.latency.model_size import count_multiply_adds
from benchmarks.latency.roofline import matrix_product
from benchmarks.reporting.markdown import header, row
from edge import image, refinement
from edge.facekeypoints import FaceKeypoints
from edge.geometry.affine import scale_of
from edge.image import Rgb
from edge.networks.face_detector import EMBEDDED, FaceDetector
from edge.networks.keypoint_model import KeypointModel

_PHOTOS = 32
_ROUNDS = 12
_PEER = "MediaPipe Face Mesh"
_COPIED_BYTES = 1 << 18  # stays in the processor's cache, as a photo does
_PRODUCTS = 400
_NAMES = ("grey", "scale to the detector's size", "detector, with its decoding", "crops",
          "keypoint network")  # fmt: skip
_END_TO_END = "end to end"
_FILE_SHAPE = (4000, 3000)  # px, width and height, of a camera's photo
_FILE_QUALITY = 92  # of the JPEG file

_Stage = dict[str, float]  # `cpu_ms`, and of its work `bytes` or `multiply_adds`


def run(data: Path, model: str | None = None, home: Path | None = None) -> dict[str, Any]:
    """Measure the stages of a photo.

    Args:
        data: folder with `helen/`.
        model: keypoint model, as `FaceKeypoints` takes it.
        home: folder of the peers' environments; None leaves MediaPipe out.

    Raises:
        EdgeError: a model or photo cannot be used.
        OSError, KeyError, ValueError: the data cannot be read, or MediaPipe cannot be run.
    """
    images = read_images(data / "helen")[:_PHOTOS]
    detect = FaceKeypoints(model=model)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        worker = None if home is None else stack.enter_context(_open_peer(home))
        stages, peer_ms = _time(detect, images, worker, folder)
        file = _time_file(detect, images[0], worker, folder)
    stages["the rest"] = {
        "cpu_ms": 2 * stages[_END_TO_END]["cpu_ms"] - sum(s["cpu_ms"] for s in stages.values())
    }
    return {
        "machine": describe_machine(threads=1),
        "files": [detect.model.path.name, Path(detect.settings.detector).name],
        "copied_gb_per_second": round(copy_rate(), 2),
        "matrix_gflops": round(fastest_matrix_rate(), 1),
        "stages": stages,
        "peer_cpu_ms": peer_ms,
        "file": file,
    }


def copy_rate() -> float:
    """Bytes that one thread reads and writes per second, 10⁹: the fastest of many copies."""
    source, target = (np.zeros(_COPIED_BYTES, np.uint8) for _ in range(2))
    times = [cpu_ms(lambda: target.__setitem__(slice(None), source)) for _ in range(1000)]
    fastest = min(time for time in times if time > 0)  # where the clock stands still, at times
    return 2 * _COPIED_BYTES / (fastest * 1e6)


def fastest_matrix_rate() -> float:
    """As `matrix_rate` of `benchmarks.latency.roofline`, by CPU time."""
    call, operations = matrix_product()
    return operations / (min(cpu_ms(call) for _ in range(_PRODUCTS)) * 1e6)


class _Stages:
    """Times the stages of a photo where they are called, and counts their work."""

    def __init__(self, keypoint_file: Path) -> None:
        self._adds_per_face = count_multiply_adds(keypoint_file)
        self._adds_per_canvas = lru_cache(partial(count_multiply_adds, EMBEDDED))
        self._now: dict[str, _Stage] = {}

    def measure(self, call: Callable[[], object]) -> dict[str, _Stage]:
        """The stages of one call."""
        self._now = {name: {"cpu_ms": 0.0} for name in _NAMES}
        self._now[_END_TO_END] = {"cpu_ms": cpu_ms(call)}
        return self._now

    def patch(self, stack: ExitStack) -> None:
        """Time the functions of the stages until `stack` is closed."""
        for name, owner, function, work in (
            (_NAMES[0], image, "to_grey", lambda result, rgb: ("bytes", rgb.size + result.size)),
            (_NAMES[1], FaceDetector, "letterbox",
             lambda result, grey, _: ("bytes", grey.size + result[0].size)),
            (_NAMES[2], FaceDetector, "_run",
             lambda _, __, canvas: ("multiply_adds", self._adds_per_canvas(canvas.shape))),
            (_NAMES[3], refinement, "cut_face", lambda result, _, matrix, size: (
                "bytes", result.size + (size / scale_of(matrix)) ** 2)),
            (_NAMES[4], KeypointModel, "_run",
             lambda _, __, faces, ___: ("multiply_adds", len(faces) * self._adds_per_face)),
        ):  # fmt: skip
            timed = self._timed(name, getattr(owner, function), work)
            is_static = function == "letterbox"
            stack.enter_context(
                patch.object(owner, function, staticmethod(timed) if is_static else timed)
            )

    def _timed(self, name: str, function: Callable[..., Any], work: Callable[..., Any]) -> Any:
        def timed(*arguments: Any) -> Any:
            start = time.process_time_ns()
            result = function(*arguments)
            stage = self._now.setdefault(name, {"cpu_ms": 0.0})
            stage["cpu_ms"] += (time.process_time_ns() - start) / 1e6
            unit, amount = work(result, *arguments)
            stage[unit] = stage.get(unit, 0.0) + float(amount)
            return result

        return timed


def _open_peer(home: Path) -> Worker:
    method = next(method for method in METHODS if method.name == _PEER)
    return Worker(method, find_environment(method.peer, home), 1, None)


def _time(
    detect: FaceKeypoints, images: list[Rgb], worker: Worker | None, folder: Path
) -> tuple[dict[str, _Stage], float | None]:
    """The mean stages of a photo, each photo in its fastest round, and MediaPipe's mean, ms."""
    rounds: list[list[dict[str, _Stage]]] = []
    peer: list[list[float]] = []
    ask_peer = None
    if worker:
        archive = save_images(folder / "photos.npz", images)
        ask_peer = partial(worker.ask, "time", **archive.request())
    with ExitStack() as stack:
        stages = _Stages(detect.model.path)
        stages.patch(stack)
        for _ in range(_ROUNDS):
            rounds.append([stages.measure(partial(detect, photo)) for photo in images])
            if ask_peer:
                peer.append(ask_peer()["cpu_ms"])
    fastest = [
        min(rows, key=lambda r: r[_END_TO_END]["cpu_ms"]) for rows in zip(*rounds, strict=True)
    ]
    means = {
        name: {
            key: float(np.mean([photo[name].get(key, 0.0) for photo in fastest]))
            for key in {key for photo in fastest for key in photo[name]}
        }
        for name in (*_NAMES, _END_TO_END)
    }
    return means, float(np.min(peer, axis=0).mean()) if peer else None


def _time_file(
    detect: FaceKeypoints, photo: Rgb, worker: Worker | None, folder: Path
) -> dict[str, float | None]:
    """The fastest CPU times of a photo's JPEG file, enlarged to the size of a camera's, ms."""
    path = folder / "photo.jpg"
    ImageOps.fit(Image.fromarray(photo), _FILE_SHAPE).save(path, quality=_FILE_QUALITY)
    ours, peer = [], []
    for _ in range(_ROUNDS):
        ours.append(cpu_ms(lambda: detect(path)))
        if worker:
            peer += worker.ask("time", files=[str(path)])["cpu_ms"]
    return {
        "megapixels": math.prod(_FILE_SHAPE) / 1e6,
        "cpu_ms": min(ours),
        "peer_cpu_ms": min(peer, default=None),
    }


def cpu_ms(call: Callable[[], object]) -> float:
    """The CPU time of one call, ms."""
    start = time.process_time_ns()
    call()
    return (time.process_time_ns() - start) / 1e6


def table(results: dict[str, Any]) -> str:
    """The results as a Markdown table."""
    lines = header("stage", "least work", "least time", "time", "gap")
    for name, stage in results["stages"].items():
        least_ms = _least_ms(stage, results)
        cells = ("–", "–", "–")
        if least_ms is not None:
            cells = (
                _work_cell(stage),
                f"{least_ms:.2f} ms",
                f"{stage['cpu_ms'] - least_ms:.2f} ms",
            )
        lines.append(row(name, *cells[:2], f"{stage['cpu_ms']:.2f} ms", cells[2]))
    if (peer_ms := results["peer_cpu_ms"]) is not None:
        ratio = results["stages"][_END_TO_END]["cpu_ms"] / peer_ms
        peer = f"{results.get('peer', _PEER)} (end to end is {ratio:.2f} of it)"
        lines.append(row(peer, "–", "–", f"{peer_ms:.2f} ms", "–"))
    if "file" in results:
        lines += _file_rows(results["file"])
    return "\n".join(lines)


def _file_rows(file: dict[str, float | None]) -> list[str]:
    ours_ms, peer_ms = file["cpu_ms"], file["peer_cpu_ms"]
    name = f"JPEG file of {file['megapixels']:g} megapixels, to its faces"
    rows = [row(name, "–", "–", f"{ours_ms:.1f} ms", "–")]
    if ours_ms is not None and peer_ms is not None:
        peer = f"{_PEER} with its own reader (ours is {ours_ms / peer_ms:.2f} of it)"
        rows.append(row(peer, "–", "–", f"{peer_ms:.1f} ms", "–"))
    return rows


def _least_ms(stage: dict[str, float], results: dict[str, Any]) -> float | None:
    if "bytes" in stage:
        return float(stage["bytes"] / results["copied_gb_per_second"] / 1e6)
    if "multiply_adds" in stage:
        return float(2 * stage["multiply_adds"] / results["matrix_gflops"] / 1e6)
    return None


def _work_cell(stage: dict[str, float]) -> str:
    if "bytes" in stage:
        return f"{stage['bytes'] / 1e6:.2f} MB"
    return f"{stage['multiply_adds'] / 1e6:.0f} M multiply-adds"


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.work",
        description="Measure the stages of a photo, and compare each with the least work.",
    )
    add = parser.add_argument
    add("data", metavar="DATA", type=Path, help="folder with helen/")
    add("--model", metavar="MODEL", help="an .onnx file, or small (default: the embedded one)")
    add("--peers", action="store_true",
        help="run MediaPipe too, installed by python -m benchmarks.peers")  # fmt: skip
    add("--home", metavar="DIR", type=Path, default=HOME,
        help="folder of the peers' environments (default: %(default)s)")  # fmt: skip
    add("-o", "--output", metavar="FILE", type=Path, help="write the results as JSON")
    args = parser.parse_args(argv)
    home = args.home if args.peers else None
    return report_results(lambda: run(args.data, args.model, home), table, args.output)


if __name__ == "__main__":
    sys.exit(main())
