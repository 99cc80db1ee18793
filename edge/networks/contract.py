"""Opening an `.onnx` file, and the contract that it must keep: its tensors and its metadata."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from edge.errors import ModelError, first_line

# For processes that imported onnxruntime before `edge` set the environment variable, and Windows.
onnxruntime.disable_telemetry_events()

SCHEME = "kaggle-15"
COORDINATE_CONVENTION = (
    "pixels of the crop; origin top-left, x right, y down; pixel centres at integers; "
    "left and right are the subject's"
)
COMMON_KEYS = (
    "coordinate_convention",
    "model_version",
    "training_run",
    "training_data",
    "license",
    "sha256_keras",
)
_ORT_ERRORS = tuple(
    error
    for error in vars(ort_errors).values()
    if isinstance(error, type) and issubclass(error, Exception)
)
_LOG_NOTHING = 4  # severity; an error is reported once, by the exception

Precision = Literal["auto", "fp32", "int8"]  # what a user may ask for
Outputs = list[NDArray[np.float32]]


def optional_input(output: str) -> str:
    """Name of the input that tells whether an output is computed: a bool, true if not given."""
    return f"with_{output}"


def embedded_file(name: str) -> Path:
    """The path of a network that the package holds."""
    from edge.files import package_folder  # imported by few others where networks are opened

    return package_folder("models") / name


class OnnxModel:
    """An open `.onnx` file that keeps its contract.

    Attributes:
        path: the file it was read from.
        metadata: the file's metadata.
        inputs: onnxruntime's descriptions of the inputs: name, type and shape.
        optional_inputs: names of those that have a default.
        outputs: likewise of the outputs.
    """

    def __init__(self, path: str | Path, threads: int, noun: str, keys: Sequence[str]) -> None:
        """Open a file on the CPU and check it.

        Args:
            path: of the `.onnx` file.
            threads: threads that one run may use; none spins while it waits.
            noun: what kind of network it must be, for messages.
            keys: names of the metadata that it must have.

        Raises:
            ModelError: the file is missing, is no ONNX model, or breaks the contract.
        """
        self.path = Path(path)
        self._session = _open_session(self.path, threads)
        self.metadata = _read_metadata(self._session, self.path, noun, keys)
        self.inputs = self._session.get_inputs()
        self.optional_inputs = {i.name for i in self._session.get_overridable_initializers()}
        self.outputs = self._session.get_outputs()

    def run(self, outputs: list[str], inputs: dict[str, NDArray[Any]]) -> Outputs:
        """Run the network: the named outputs for the named inputs."""
        results: Outputs = self._session.run(outputs, inputs)
        return results

    @staticmethod
    def spans(count: int, sizes: Sequence[int]) -> list[tuple[int, int]]:
        """Begin and end of batches of these sizes only, the largest first and 1 the last."""
        spans, start = [], 0
        for size in sizes:
            while count - start >= size:
                spans.append((start, start + size))
                start += size
        return spans

    def check_tensors(self, expected: Mapping[str, tuple[str, list[int]]]) -> None:
        """Raise ModelError unless tensors have these types and, after the batch, these shapes."""
        actual = {t.name: (t.type, list(t.shape[1:])) for t in (*self.inputs, *self.outputs)}
        for name, (dtype, shape) in expected.items():
            if actual.get(name) != (dtype, shape):
                raise ModelError(
                    f"{self.path}: tensor {name!r}: expected {dtype} [N, …] with {shape} after the "
                    f"batch, found {actual.get(name, 'none')}"
                )

    def check_runs(self, call: Callable[[], Any]) -> None:
        """Raise ModelError unless a first call works and gives finite numbers.

        Damage that opening does not notice, such as a flipped bit in a shape, shows here.
        """
        try:
            outputs = call()
        except _ORT_ERRORS as error:
            raise ModelError(
                f"{self.path}: the model does not run ({first_line(error)})"
            ) from error
        if not all(np.isfinite(output).all() for output in outputs):
            raise ModelError(f"{self.path}: the model gives no finite numbers; export it again")


def parse_metadata(
    model: OnnxModel, key: str, expected: str, is_valid: Callable[[Any], bool]
) -> Any:
    """A value of the metadata, which holds it in JSON.

    Args:
        model: the open file.
        key: of the value.
        expected: what it must be, for the message.
        is_valid: whether it is that.

    Raises:
        ModelError: it is no JSON, or not valid.
    """
    text = model.metadata[key]
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not is_valid(value):
        raise ModelError(f"{model.path}: metadata {key}: expected {expected}, found {text!r}")
    return value


def _open_session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    if not path.is_file():
        raise ModelError(f"{path}: no such model file; give the path of an .onnx file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _LOG_NOTHING
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except _ORT_ERRORS as error:
        reason = first_line(error).rpartition("failed:")[2]
        raise ModelError(f"{path}: cannot be opened as an ONNX model ({reason})") from error


def _read_metadata(
    session: onnxruntime.InferenceSession, path: Path, noun: str, keys: Sequence[str]
) -> dict[str, str]:
    try:
        metadata = dict(session.get_modelmeta().custom_metadata_map)
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: the metadata is no valid text; the file is damaged") from error
    missing = [key for key in keys if key not in metadata]
    if missing:
        raise ModelError(
            f"{path}: not a {noun}: metadata {', '.join(missing)} missing; "
            "export it with python -m export.run"
        )
    if metadata["coordinate_convention"] != COORDINATE_CONVENTION:
        raise ModelError(
            f"{path}: expected the coordinate convention {COORDINATE_CONVENTION!r}, "
            f"found {metadata['coordinate_convention']!r}"
        )
    return metadata
