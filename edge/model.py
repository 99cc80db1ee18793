"""The keypoint network as an open session, and the contract its file must keep.

Legend: N faces, K keypoints, S side of a crop.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from edge.errors import ModelError
from edge.keypoints import COORDINATE_CONVENTION

EMBEDDED = Path(__file__).parent / "models" / "keypoints.onnx"
PRECISIONS = ("auto", "fp32", "int8")
METADATA_KEYS = (
    "keypoint_names",
    "input_size",
    "scheme",
    "coordinate_convention",
    "model_version",
    "training_run",
    "training_data",
    "license",
    "sha256_keras",
)

# Crops are run in batches of these sizes only, so that memory stays flat whatever comes.
_BATCH_SIZES = (64, 16, 4, 1)
_OPEN_ERRORS = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)
# int8 must be this much faster to be chosen: below that, timing noise would make results differ
# from one start to the next.
_WORTH_IT = 0.9

Prediction = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


class KeypointModel:
    """An open keypoint network.

    Attributes:
        path: the file it was read from.
        keypoint_names: names of the K keypoints, in the order of the output.
        size: side S of the crops it takes, px.
        metadata: everything the file says of itself.
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Open a model file and check that it keeps the contract.

        Raises:
            ModelError: the file is missing, is no ONNX model, or breaks the contract.
        """
        self.path = Path(path)
        self._session = _open_session(self.path, threads)
        self.metadata = _read_metadata(self._session, self.path)
        self.keypoint_names = _parse_names(self.metadata, self.path)
        self.size = _parse_size(self.metadata, self.path)
        _check_tensors(self._session, len(self.keypoint_names), self.size, self.path)

    def __call__(self, faces: NDArray[np.uint8]) -> Prediction:
        """Predict keypoints of cropped faces.

        Args:
            faces: uint8 `(N, S, S)`, grey.

        Returns:
            keypoints float32 `(N, K, 2)` and their 50 % error radius float32 `(N, K)`, px of the
            crop; face_score float32 `(N,)`, 0–1.
        """
        parts = [self._run(faces[start:stop]) for start, stop in _spans(len(faces))]
        if not parts:
            count = len(self.keypoint_names)
            empty = np.empty((0, count, 2), np.float32)
            return empty, empty[..., 0], np.empty(0, np.float32)
        points, error, score = (np.concatenate(part) for part in zip(*parts, strict=True))
        return points, error, score

    def _run(self, faces: NDArray[np.uint8]) -> Prediction:
        outputs = self._session.run(
            ["keypoints", "error", "face_score"], {"face": faces[..., None]}
        )
        return outputs[0], outputs[1], outputs[2]


def open_model(path: str | Path | None, precision: str = "auto", threads: int = 1) -> KeypointModel:
    """Open the fp32 or the int8 file of a model.

    The int8 file lies beside the fp32 one: `keypoints.onnx` and `keypoints.int8.onnx`.

    Args:
        path: the fp32 file; None for the embedded model.
        precision: "fp32", "int8", or "auto": whichever is faster here for one face, measured now.
        threads: threads that one run may use.

    Raises:
        ModelError: a file is missing or breaks the contract.
        ValueError: the precision is none of the three.
    """
    if precision not in PRECISIONS:
        raise ValueError(
            f"precision must be one of {', '.join(PRECISIONS)}, received {precision!r}"
        )
    full = EMBEDDED if path is None else Path(path)
    small = full.with_suffix(f".int8{full.suffix}")
    if precision == "int8":
        return KeypointModel(small, threads)
    model = KeypointModel(full, threads)
    if precision == "fp32" or not small.is_file():
        return model
    quantised = KeypointModel(small, threads)
    return quantised if median_ms(quantised) < _WORTH_IT * median_ms(model) else model


def median_ms(model: KeypointModel, warm_up: int = 3, runs: int = 15) -> float:
    """Median time that `model` takes for one face on this computer, ms."""
    face = np.zeros((1, model.size, model.size), np.uint8)
    times = []
    for _ in range(warm_up + runs):
        start = time.perf_counter_ns()
        model(face)
        times.append(time.perf_counter_ns() - start)
    return float(np.median(times[warm_up:])) / 1e6


def _spans(count: int) -> list[tuple[int, int]]:
    spans, start = [], 0
    for size in _BATCH_SIZES:
        while count - start >= size:
            spans.append((start, start + size))
            start += size
    return spans


def _open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    if not path.is_file():
        raise ModelError(f"{path}: no such model file; give the path of a keypoint .onnx file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is said once, by the exception
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except _OPEN_ERRORS as error:
        reason = str(error).strip().splitlines()[0].rpartition("failed:")[2]
        raise ModelError(f"{path}: cannot be opened as an ONNX model ({reason})") from error


def _read_metadata(session: onnxruntime.InferenceSession, path: Path) -> dict[str, str]:
    metadata = dict(session.get_modelmeta().custom_metadata_map)
    missing = [key for key in METADATA_KEYS if key not in metadata]
    if missing:
        raise ModelError(
            f"{path}: not a keypoint model: metadata {', '.join(missing)} missing; "
            "export it with python -m export.run"
        )
    if metadata["coordinate_convention"] != COORDINATE_CONVENTION:
        raise ModelError(
            f"{path}: expected the coordinate convention {COORDINATE_CONVENTION!r}, "
            f"found {metadata['coordinate_convention']!r}"
        )
    return metadata


def _parse_names(metadata: dict[str, str], path: Path) -> tuple[str, ...]:
    try:
        names = json.loads(metadata["keypoint_names"])
    except json.JSONDecodeError as error:
        raise ModelError(f"{path}: metadata keypoint_names is no JSON list") from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ModelError(f"{path}: metadata keypoint_names is no JSON list of names")
    return tuple(names)


def _parse_size(metadata: dict[str, str], path: Path) -> int:
    if not metadata["input_size"].isdecimal():
        raise ModelError(
            f"{path}: metadata input_size: expected a whole number, "
            f"found {metadata['input_size']!r}"
        )
    return int(metadata["input_size"])


def _check_tensors(
    session: onnxruntime.InferenceSession, count: int, size: int, path: Path
) -> None:
    expected = {
        "face": ("tensor(uint8)", [size, size, 1]),
        "keypoints": ("tensor(float)", [count, 2]),
        "error": ("tensor(float)", [count]),
        "face_score": ("tensor(float)", []),
    }
    tensors = [*session.get_inputs(), *session.get_outputs()]
    # The first axis is the batch, and only it may be open.
    found = {tensor.name: (tensor.type, list(tensor.shape[1:])) for tensor in tensors}
    for name, form in expected.items():
        if found.get(name) != form:
            raise ModelError(
                f"{path}: tensor {name!r}: expected {form[0]} [N, …] with {form[1]} after the "
                f"batch, found {found.get(name, 'none')}"
            )
