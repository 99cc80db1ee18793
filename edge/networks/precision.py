"""Opening a network in fp32 or int8: the precision asked for, or the faster one on this computer.

The int8 file lies beside the fp32 one: `keypoints.onnx` and `keypoints.int8.onnx`. The embedded
smaller network is named `small`: `keypoints-small.onnx` and `keypoints-small.int8.onnx`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, Protocol, TypeVar, get_args

import numpy as np

from edge.errors import ModelError
from edge.networks import face_detector, keypoint_model
from edge.networks.contract import Precision
from edge.networks.detections import Detector
from edge.networks.face_detector import FaceDetector
from edge.networks.keypoint_model import KeypointModel
from edge.networks.precision_cache import cache_key, load_ratio, store_ratio
from edge.networks.whole_image import WholeImage

SMALL = "small"  # the name of the embedded smaller keypoint network
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
# Time of int8 over that of fp32 below which int8 is chosen: nearer to 1 the noise of timing would
# choose. Without 8-bit dot products the embedded networks need 0.6 to 0.8, with them 0.35 to 0.5.
MAX_TIME_RATIO = 0.9


class _Network(Protocol):
    @property
    def path(self) -> Path: ...

    metadata: dict[str, str]


_Opened = TypeVar("_Opened", bound=_Network)


@dataclass(frozen=True, slots=True)
class _Opener(Generic[_Opened]):
    """How one kind of network is opened, and run once on a typical input."""

    open: Callable[[Path, int], _Opened]
    run: Callable[[_Opened], object]


_KEYPOINT_MODEL = _Opener(
    KeypointModel, lambda model: model(np.zeros((1, model.size, model.size), np.uint8))
)
_FACE_DETECTOR = _Opener(FaceDetector, lambda detector: detector(np.zeros((240, 320), np.uint8)))


def open_keypoint_model(
    path: str | Path | None, precision: Precision | None = "auto", threads: int = 1
) -> KeypointModel:
    """Open a keypoint network.

    Args:
        path: the fp32 file, or an int8 file, which is opened as it is; None: the embedded network;
            "small": the embedded smaller one.
        precision: "fp32", "int8", or "auto": the faster one for one face, as measured now or by an
            earlier start (`edge.networks.precision_cache`). None: exactly the named file.
        threads: threads that one run may use.

    Raises:
        ModelError: a file is missing or breaks the contract, or the two files are of different
            networks.
        ValueError: the precision is none of these.
    """
    full = keypoint_file(path)
    if path == SMALL and not (full.is_file() or int8_file(full).is_file()):
        raise ModelError(
            f"{full}: this installation has no small keypoint model; leave model out for the "
            "default one, or give the path of an .onnx file"
        )
    return _open(_KEYPOINT_MODEL, full, precision, threads)


def keypoint_file(model: str | Path | None) -> Path:
    """The fp32 file of a keypoint network by its name: None, "small" or a path."""
    if model is None:
        return keypoint_model.EMBEDDED
    return keypoint_model.EMBEDDED_SMALL if model == SMALL else Path(model)


def open_face_detector(
    path: str | Path | None, precision: Precision | None = "auto", threads: int = 1
) -> FaceDetector:
    """Open a face detector; arguments and errors as `open_keypoint_model`.

    "auto" is measured on one image of 320×240 px.
    """
    full = face_detector.EMBEDDED if path is None else Path(path)
    return _open(_FACE_DETECTOR, full, precision, threads)


def open_detector(detector: str | Path, precision: Precision | None, threads: int) -> Detector:
    """Open the detector that a user named.

    Args:
        detector: "face" (the embedded one), the path of an `.onnx` file, "haar" or "none".
        precision: as `open_keypoint_model`; "int8" falls back to fp32 where there is no int8 file.
        threads: threads that one run may use.

    Raises:
        ModelError: as `open_keypoint_model`.
        MissingExtra: the cascade needs OpenCV, which is not installed.
        ValueError: the name is none of these.
    """
    if detector == "none":
        return WholeImage()
    if detector == "haar":
        from edge.networks.haar import HaarDetector

        return HaarDetector(threads)
    path = face_detector.EMBEDDED if detector == "face" else Path(detector)
    if path.suffix != ".onnx":
        raise ValueError(
            f"detector must be face, haar, none or the path of an .onnx file, received {detector!r}"
        )
    if precision == "int8" and not int8_file(path).is_file():
        precision = None
    return open_face_detector(path, precision, threads)


def int8_file(full: Path) -> Path:
    """Where the int8 file of an fp32 file is."""
    return full.with_suffix(f".int8{full.suffix}")


def is_int8(path: Path) -> bool:
    """Whether a file is int8 by its name."""
    return path.name.endswith(f".int8{path.suffix}")


def _open(
    opener: _Opener[_Opened], full: Path, precision: Precision | None, threads: int
) -> _Opened:
    if precision not in (*PRECISIONS, None):
        raise ValueError(
            f"precision must be one of {', '.join(PRECISIONS)}, received {precision!r}"
        )
    if precision is None or is_int8(full):
        return opener.open(full, threads)
    small = int8_file(full)
    if precision == "int8" and not full.is_file():
        return opener.open(small, threads)
    if precision == "auto" and full.is_file() and small.is_file():
        return _open_faster(opener, full, small, threads)
    network = opener.open(full, threads)
    return _open_int8(opener, small, network, threads) if precision == "int8" else network


def measured_ratio(full: Path, threads: int) -> float | None:
    """The time of int8 over that of fp32 by which "auto" chose; None where none is cached.

    Args:
        full: the fp32 file of a network, beside the int8 one.
        threads: with which it was opened.
    """
    try:
        return load_ratio(cache_key((full, int8_file(full)), threads))
    except OSError:
        return None


def _open_faster(opener: _Opener[_Opened], full: Path, small: Path, threads: int) -> _Opened:
    try:
        key = cache_key((full, small), threads)
    except OSError as error:
        raise ModelError(f"{full}: cannot be read ({error.strerror})") from error
    known = load_ratio(key)
    if known is not None:
        return opener.open(small if known < MAX_TIME_RATIO else full, threads)
    network = opener.open(full, threads)
    quantised = _open_int8(opener, small, network, threads)
    ratio = _time_ratio(opener, quantised, network)
    store_ratio(key, ratio)
    return quantised if ratio < MAX_TIME_RATIO else network


def _open_int8(opener: _Opener[_Opened], path: Path, full: _Opened, threads: int) -> _Opened:
    network = opener.open(path, threads)
    if network.metadata["sha256_keras"] != full.metadata["sha256_keras"]:
        raise ModelError(
            f"{path}: is of another network ({network.metadata['model_version']}) than {full.path} "
            f"({full.metadata['model_version']}); export both again, or choose precision fp32"
        )
    return network


def _time_ratio(
    opener: _Opener[_Opened], first: _Opened, second: _Opened, rounds: int = 4
) -> float:
    """Time of `first` over that of `second`, each the minimum of several interleaved rounds."""
    calls = [partial(opener.run, network) for network in (first, second)]
    times = [[median_ms(call) for call in calls] for _ in range(rounds)]
    return min(a for a, _ in times) / min(b for _, b in times)


def median_ms(call: Callable[[], object], warm_up: int = 3, runs: int = 15) -> float:
    """Median time of a call on this computer, ms, after a warm-up."""
    times = []
    for _ in range(warm_up + runs):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return float(np.median(times[warm_up:])) / 1e6
