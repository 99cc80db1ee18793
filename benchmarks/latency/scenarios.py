"""The scenarios of `benchmarks.run` and their results, as `reporting/results.schema.json` has them.

Legend: N faces.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import measure_photos
from benchmarks.comparison.interleaved import Comparison, run_comparison
from benchmarks.datasets.kaggle import AnnotatedFaces, measure_accuracy, read_annotated
from benchmarks.datasets.photos import Photo, read_images, read_photos
from benchmarks.datasets.sample import SAMPLE
from benchmarks.harness.cold_start import measure_starts
from benchmarks.harness.machine import describe_heat, describe_machine
from benchmarks.harness.timing import QUICK, Call, RunLength, summarise, time_interleaved
from benchmarks.latency.model_size import count_multiply_adds, count_parameters
from benchmarks.latency.roofline import matrix_rate, profile_layers
from benchmarks.latency.stages import time_stages
from edge.facekeypoints import FaceKeypoints
from edge.image import Rgb, load_image, to_grey
from edge.networks.face_detector import EMBEDDED as EMBEDDED_DETECTOR
from edge.networks.face_detector import FaceDetector
from edge.networks.keypoint_model import KeypointModel
from edge.networks.precision import int8_file, is_int8
from edge.resize import resize

FORMAT = 1
_DETECTORS = (EMBEDDED_DETECTOR, int8_file(EMBEDDED_DETECTOR))
_BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
_OFFLINE_WARM_UP = 3  # batches
_SHAPES = ((240, 320), (480, 640))  # px, at which detectors are timed
_STAGE_PHOTOS = 16
_PEER_PHOTOS = 32  # that are timed
_PEER_ROUNDS = 10
_QUICK_PEER_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure.

    Attributes:
        models: keypoint `.onnx` files.
        length: of each measurement.
        data: folder with `kaggle/` and `helen/`, or None to leave accuracy out.
        peers: folder of the peers' environments, or None to leave them out.
        files: model files of peers, by name.
    """

    models: tuple[Path, ...]
    length: RunLength
    data: Path | None = None
    peers: Path | None = None
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def short_length(self) -> RunLength:
        """The length of measurements that are repeated for many settings."""
        return RunLength(max(8, self.length.queries // 16), self.length.seconds / 20)


@dataclass(frozen=True, slots=True)
class EvaluationData:
    """Annotated faces.

    Attributes:
        annotated: Kaggle's test images.
        photos: helen's photos.
        images: the same in colour, uint8 `(H, W, 3)` RGB.
    """

    annotated: AnnotatedFaces
    photos: list[Photo]
    images: list[Rgb]


def measure(plan: Plan) -> dict[str, Any]:
    """Run all scenarios.

    Returns:
        The results, JSON values.

    Raises:
        EdgeError: a model or photo cannot be used, or a package is not installed.
        OSError, KeyError, ValueError: the data cannot be read.
    """
    heat_before = describe_heat()
    threads = sorted({1, os.cpu_count() or 1})
    data = _read_data(plan.data) if plan.data else None
    results: dict[str, Any] = {
        "format": FORMAT,
        "machine": describe_machine(threads=max(threads)),
        "amount": asdict(plan.length),
        "matrix_gflops": round(matrix_rate(), 1),
        "models": [_describe_model(path, data) for path in plan.models],
        "detectors": [_describe_detector(path) for path in _DETECTORS],
    }
    _log("models described; next: single stream")
    results["single_stream"] = [row for n in threads for row in _single_stream(plan, n)]
    results["auto"] = [_auto(n) for n in threads]
    _log("next: offline")
    results["offline"] = [row for n in threads for row in _offline(plan, n)]
    results["layers"] = {
        path.name: profile_layers(path, {"face": _faces(1)}) for path in plan.models
    }
    results["stages"] = _stages(plan)
    _log("next: start-up")
    results["start"] = measure_starts()
    results["peers"] = _peers(plan, data)
    results["heat"] = {"before": heat_before, "after": describe_heat()}
    return results


def _log(message: str) -> None:
    print(f"benchmarks: {message}", file=sys.stderr)


def _read_data(folder: Path) -> EvaluationData:
    kaggle, helen = folder / "kaggle", folder / "helen"
    return EvaluationData(
        annotated=read_annotated(kaggle / "test_annotated.csv", kaggle / "test.zip"),
        images=read_images(helen),
        photos=read_photos(helen),
    )


def _describe_file(path: Path) -> dict[str, Any]:
    return {
        "size_bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def _describe_detector(path: Path) -> dict[str, Any]:
    return {"file": path.name, **_describe_file(path), "parameters": count_parameters(path)}


def _describe_model(path: Path, data: EvaluationData | None) -> dict[str, Any]:
    model = KeypointModel(path)
    row = {
        "model": path.name,
        "version": model.metadata["model_version"],
        **_describe_file(path),
        "parameters": count_parameters(path),
        "multiply_adds": count_multiply_adds(path),
        "accuracy": None,
    }
    if data:
        detect = _open(path, 1)
        helen = measure_photos(detect, data.photos)
        row["accuracy"] = {
            "kaggle": measure_accuracy(detect, data.annotated),
            "helen": helen["end to end"],
        }
    return row


def _faces(number: int) -> NDArray[np.uint8]:
    """Random crops, uint8 `(N, 96, 96, 1)`."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (number, 96, 96, 1)).astype(np.uint8)


def _auto(threads: int) -> dict[str, Any]:
    """The files that `precision="auto"` chooses on this machine."""
    detect = FaceKeypoints(threads=threads)
    return {
        "threads": threads,
        "keypoints": detect.model.path.name,
        "detector": Path(detect.settings.detector).name,
    }


def _single_stream(plan: Plan, threads: int) -> list[dict[str, Any]]:
    """One face, one image at each of the detector's sizes, and one whole photo."""
    groups = (_keypoint_calls(plan, threads), _detector_calls(threads), _photo_calls(plan, threads))
    return [
        {"what": name, "threads": threads, **asdict(summarise(times_ms))}
        for calls in groups  # only calls of one kind are interleaved
        for name, times_ms in time_interleaved(calls, plan.length).items()
    ]


def _keypoint_calls(plan: Plan, threads: int) -> dict[str, Call]:
    face = _faces(1)[..., 0]
    return {path.name: partial(KeypointModel(path, threads), face) for path in plan.models}


def _detector_calls(threads: int) -> dict[str, Call]:
    detectors = {path.name: FaceDetector(path, threads) for path in _DETECTORS}
    grey = to_grey(load_image(SAMPLE))
    return {
        f"{name}, {width}×{height}": partial(detector, resize(grey, (height, width)), width)
        for height, width in _SHAPES
        for name, detector in detectors.items()
    }


def _photo_calls(plan: Plan, threads: int) -> dict[str, Call]:
    image = load_image(SAMPLE)
    return {f"photo, {path.name}": partial(_open(path, threads), image) for path in plan.models}


def _open(path: Path, threads: int) -> FaceKeypoints:
    """A keypoint network with the detector of the same precision."""
    detector = int8_file(EMBEDDED_DETECTOR) if is_int8(path) else EMBEDDED_DETECTOR
    return FaceKeypoints(model=path, detector=detector, precision="fp32", threads=threads)


def _offline(plan: Plan, threads: int) -> list[dict[str, Any]]:
    """Throughput by batch size."""
    rows = []
    for path in plan.models:
        model = KeypointModel(path, threads)
        for batch_size in _BATCH_SIZES:
            calls: dict[str, Call] = {"batch": partial(model, _faces(batch_size)[..., 0])}
            times_ms = time_interleaved(calls, plan.short_length, _OFFLINE_WARM_UP)["batch"]
            rate = batch_size / float(np.median(times_ms)) * 1e3
            rows.append({"model": path.name, "threads": threads, "batch": batch_size,
                         "faces_a_second": round(rate, 1)})  # fmt: skip
    return rows


def _stages(plan: Plan) -> dict[str, Any]:
    """Each stage of helen's photos, or of the sample."""
    folder = plan.data / "helen" if plan.data else None
    paths = sorted(folder.rglob("*.jpg"))[:_STAGE_PHOTOS] if folder else [SAMPLE]
    times = time_stages(paths, FaceKeypoints(precision="fp32"), plan.short_length)
    return {name: asdict(summarise(times_ms)) for name, times_ms in times.items()}


def _peers(plan: Plan, data: EvaluationData | None) -> list[dict[str, Any]]:
    if plan.peers is None or data is None:
        return []
    _log("next: peers")
    rounds = _QUICK_PEER_ROUNDS if plan.length == QUICK else _PEER_ROUNDS
    comparison = Comparison(plan.peers, plan.files, _PEER_PHOTOS, rounds)
    return run_comparison(data.photos, data.images, comparison)
