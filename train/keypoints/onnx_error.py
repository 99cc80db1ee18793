"""Calibration of the error radius in an `.onnx` file: one multiplication and two metadata entries.

A model file is calibrated without the run that it was exported from, which holds images that may
not be passed on.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from edge.files import write_atomically
from train.errors import RunError

_ERROR = "error"  # name of the output
_RAW_ERROR = "uncalibrated_error"
_FACTOR = "error_calibration"
_ERROR90 = "error90"  # name of the metadata, see `edge.networks.contract.parse_error90`
_CALIBRATED = "calibrated"


def write_calibrated(
    source: Path,
    target: Path,
    factor: NDArray[np.floating],
    error90: list[float],
    calibrated: dict[str, object],
) -> None:
    """Write a copy of a model whose error is multiplied by factors.

    A second calibration multiplies the factors of the first. The file's other outputs and metadata
    are unchanged.

    Args:
        source: the model's file.
        target: the copy.
        factor: of each keypoint's error, `(15,)`.
        error90: factors from the calibrated error to the radius that contains 90 %.
        calibrated: what the factors were measured on, as JSON in the metadata `calibrated`.

    Raises:
        RunError: the file has no output `error`, or the copy is not valid ONNX.
    """
    model = onnx.load(source)
    _multiply(model.graph, np.asarray(factor, np.float32), source)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    metadata[_ERROR90] = json.dumps(error90)
    metadata[_CALIBRATED] = json.dumps(calibrated, sort_keys=True)
    onnx.helper.set_model_props(model, metadata)
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise RunError(f"{source}: its error cannot be scaled ({error})") from error
    with write_atomically(target) as part:
        part.write_bytes(model.SerializeToString())


def _multiply(graph: onnx.GraphProto, factor: NDArray[np.float32], path: Path) -> None:
    """Multiply the output `error`, in the node of an earlier calibration or in a new one."""
    earlier = next((tensor for tensor in graph.initializer if tensor.name == _FACTOR), None)
    if earlier is not None:
        product = onnx.numpy_helper.to_array(earlier) * factor
        earlier.CopyFrom(onnx.numpy_helper.from_array(product, _FACTOR))
        return
    if not any(_ERROR in node.output for node in graph.node):
        raise RunError(f"{path}: expected a keypoint network with the output {_ERROR}")
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [_RAW_ERROR if name == _ERROR else name for name in names]
    graph.initializer.append(onnx.numpy_helper.from_array(factor, _FACTOR))
    graph.node.append(onnx.helper.make_node("Mul", [_RAW_ERROR, _FACTOR], [_ERROR]))
