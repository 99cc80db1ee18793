"""Opening an `.onnx` file: threads, spinning, and what goes wrong in one line."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from edge.errors import ModelError

# Whoever imported onnxruntime before `edge` was not spared by the environment; nor is Windows.
onnxruntime.disable_telemetry_events()

OPEN_ERRORS = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


def open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """Open a model on the processor.

    Args:
        path: of the `.onnx` file.
        threads: threads that one run may use; none spins while it waits.

    Raises:
        ModelError: the file is missing, or is no ONNX model.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such model file; give the path of an .onnx file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is said once, by the exception
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except OPEN_ERRORS as error:
        reason = first_line(error).rpartition("failed:")[2]
        raise ModelError(f"{path}: cannot be opened as an ONNX model ({reason})") from error


def first_line(error: Exception) -> str:
    """The first line of what an error says."""
    return str(error).strip().splitlines()[0]
