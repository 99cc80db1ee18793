"""What `benchmarks.run` measures, and the object it makes of it (`results.schema.json`)."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy import measure_photos
from benchmarks.comparison.interleaved import Race, run_race
from benchmarks.datasets.kaggle import AnnotatedFaces, measure_accuracy, read_annotated
from benchmarks.datasets.photos import Photo, read_photos
from benchmarks.harness.cold_start import measure_starts
from benchmarks.harness.machine import describe_heat, describe_machine
from benchmarks.harness.timing import QUICK, Amount, Call, summarise, time_in_turn
from benchmarks.latency.model_size import count
from benchmarks.latency.roofline import layers, matrix_rate
from benchmarks.latency.stages import time_stages
from benchmarks.tracking import SAMPLE
from edge.facekeypoints import FaceKeypoints
from edge.image import Rgb, load_image, to_grey
from edge.networks.face_detector import EMBEDDED as FACE
from edge.networks.face_detector import FaceDetector
from edge.networks.keypoint_model import KeypointModel
from edge.networks.precision import int8_file, is_int8
from edge.resize import resize

FORMAT = 1
_BATCHES = (1, 2, 4, 8, 16, 32, 64)
_SHAPES = ((240, 320), (480, 640))  # px, at which the detector is timed
_STAGE_PHOTOS = 16
_TIMED_PHOTOS = 32  # by ours and the peers


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured.

    Attributes:
        models: keypoint `.onnx` files.
        amount: queries and seconds of each thing.
        data: folder with `kaggle/` and `helen/`, or None: then nothing is said of accuracy.
        peers: folder of the peers' environments, or None to leave them out.
        files: model files of peers, by name.
    """

    models: tuple[Path, ...]
    amount: Amount
    data: Path | None = None
    peers: Path | None = None
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def brief(self) -> Amount:
        """For what is measured at many settings: a tenth."""
        return Amount(max(8, self.amount.queries // 16), self.amount.seconds / 20)


@dataclass(frozen=True, slots=True)
class Truth:
    """What accuracy is measured on: Kaggle's pictures, and helen's photos in grey and in colour."""

    annotated: AnnotatedFaces
    photos: list[Photo]
    images: list[Rgb]


def measure(plan: Plan) -> dict[str, Any]:
    """Everything, as values that `json` can write.

    Raises:
        EdgeError: a model or photo cannot be used.
        OSError, KeyError, ValueError: the data cannot be read.
    """
    before = describe_heat()
    threads = sorted({1, os.cpu_count() or 1})
    truth = _read_truth(plan.data) if plan.data else None
    results: dict[str, Any] = {
        "format": FORMAT,
        "machine": describe_machine(threads=max(threads)),
        "amount": asdict(plan.amount),
        "matrix_gflops": round(matrix_rate(), 1),
        "models": [_describe(path, truth) for path in plan.models],
        "detectors": [
            {"file": path.name, **_facts(path), "parameters": count(path)[0]}
            for path in (FACE, int8_file(FACE))
        ],
    }
    _say("models described; single stream next")
    results["single_stream"] = [row for n in threads for row in _single_stream(plan, n)]
    results["auto"] = [_auto(n) for n in threads]
    _say("offline next")
    results["offline"] = [row for n in threads for row in _offline(plan, n)]
    results["layers"] = {path.name: layers(path, _face(1)) for path in plan.models}
    results["stages"] = _stages(plan)
    _say("starts next")
    results["start"] = measure_starts()
    results["peers"] = _peers(plan, truth)
    results["heat"] = {"before": before, "after": describe_heat()}
    return results


def _say(what: str) -> None:
    print(f"benchmarks: {what}", file=sys.stderr)


def _facts(path: Path) -> dict[str, Any]:
    return {
        "size_bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


def _read_truth(data: Path) -> Truth:
    kaggle, helen = data / "kaggle", data / "helen"
    return Truth(
        annotated=read_annotated(kaggle / "test_annotated.csv", kaggle / "test.zip"),
        images=_read_images(helen),
        photos=read_photos(helen),
    )


def _describe(path: Path, truth: Truth | None) -> dict[str, Any]:
    model = KeypointModel(path)
    parameters, additions = count(path)
    row = {
        "model": path.name,
        "version": model.metadata["model_version"],
        **_facts(path),
        "parameters": parameters,
        "multiply_adds": additions,
        "accuracy": None,
    }
    if truth:
        helen = measure_photos(_detect(path, 1), truth.photos)
        row["accuracy"] = {"kaggle": measure_accuracy(model, truth.annotated),
                           "helen": helen["end to end"]}  # fmt: skip
    return row


def _face(faces: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {"face": rng.integers(0, 256, (faces, 96, 96, 1)).astype(np.uint8)}


def _auto(threads: int) -> dict[str, Any]:
    """What precision "auto" chooses here."""
    detect = FaceKeypoints(threads=threads)
    detector = detect.settings.detector
    return {
        "threads": threads,
        "keypoints": detect.model.path.name,
        "detector": Path(detector).name,
    }


def _single_stream(plan: Plan, threads: int) -> list[dict[str, Any]]:
    """Keypoints of one face, the detector at both sizes, whole photos; like with like in turn."""
    face = _face(1)["face"][..., 0]
    opened = {path.name: KeypointModel(path, threads) for path in plan.models}
    finders = {path.name: FaceDetector(path, threads) for path in (FACE, int8_file(FACE))}
    grey = to_grey(load_image(SAMPLE))
    image = load_image(SAMPLE)
    groups: tuple[dict[str, Call], ...] = (
        {name: partial(model, face) for name, model in opened.items()},
        {
            f"{name}, {shape[1]}×{shape[0]}": partial(face_detector, resize(grey, shape), shape[1])
            for shape in _SHAPES
            for name, face_detector in finders.items()
        },
        {f"photo, {p.name}": partial(_detect(p, threads), image) for p in plan.models},
    )
    return [
        {"what": name, "threads": threads, **asdict(summarise(times))}
        for group in groups
        for name, times in time_in_turn(group, plan.amount).items()
    ]


def _detect(path: Path, threads: int) -> FaceKeypoints:
    """With an int8 keypoint network, an int8 detector."""
    face = int8_file(FACE) if is_int8(path) else FACE
    return FaceKeypoints(model=path, detector=face, precision="fp32", threads=threads)


def _offline(plan: Plan, threads: int) -> list[dict[str, Any]]:
    """Faces a second, by how many go into the network at once."""
    rows = []
    for path in plan.models:
        model = KeypointModel(path, threads)
        for batch in _BATCHES:
            faces = _face(batch)["face"][..., 0]
            times = time_in_turn({"": partial(model, faces)}, plan.brief, 3)[""]
            rate = batch / float(np.median(times)) * 1e3
            rows.append({"model": path.name, "threads": threads, "batch": batch,
                         "faces_a_second": round(rate, 1)})  # fmt: skip
    return rows


def _stages(plan: Plan) -> dict[str, Any]:
    """Each stage of helen's photos, or of the sample."""
    folder = plan.data / "helen" if plan.data else None
    paths = sorted(folder.rglob("*.jpg"))[:_STAGE_PHOTOS] if folder else [SAMPLE]
    detect = FaceKeypoints(precision="fp32")
    times = time_stages(paths, detect, plan.brief)
    return {name: asdict(summarise(ms)) for name, ms in times.items()}


def _peers(plan: Plan, truth: Truth | None) -> list[dict[str, Any]]:
    if plan.peers is None or truth is None:
        return []
    _say("peers next")
    rounds = 3 if plan.amount == QUICK else 10
    return run_race(truth.photos, truth.images, Race(plan.peers, plan.files, _TIMED_PHOTOS, rounds))


def _read_images(folder: Path) -> list[Rgb]:
    lines = (folder / "annotations.jsonl").read_text(encoding="utf-8").splitlines()
    return [load_image(folder / json.loads(line)["image"]) for line in lines]
