"""The last features of a keypoint network's `.onnx` file, and a copy with corrected keypoints."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from edge.files import write_atomically
from train.errors import RunError

_KEYPOINTS = "keypoints"  # name of the output
_OLD = "keypoints_before_adaptation"
_BATCH = 64
_LAST_LAYERS = ("MatMul", "Gemm")


def predict_features(
    path: Path, crops: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Keypoints and the features that they are computed from.

    Args:
        path: of the `.onnx` file.
        crops: uint8 `(N, 96, 96)`.

    Returns:
        float32 `(N, K, 2)`, px of the crop, and float32 `(N, F)`.

    Raises:
        RunError: the file's keypoints come from no layer of weights.
    """
    model = onnx.load(path)
    features = _features(model, path)
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(features))
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    batches = [
        session.run([_KEYPOINTS, features], {"face": crops[i : i + _BATCH, ..., None]})
        for i in range(0, len(crops), _BATCH)
    ]
    keypoints, values = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return keypoints, values


def _features(model: onnx.ModelProto, path: Path) -> str:
    """Name of the tensor that the last layer of weights before the keypoints takes."""
    producers = {name: node for node in model.graph.node for name in node.output}
    node = producers.get(_OLD) or producers.get(_KEYPOINTS)
    while node is not None and node.op_type not in _LAST_LAYERS:
        node = producers.get(node.input[0])
    if node is None:
        raise RunError(f"{path}: expected a keypoint network whose last layer has weights")
    return str(node.input[0])


def write_adapted(
    source: Path,
    target: Path,
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
    adapted: dict[str, object],
) -> None:
    """Write a copy of a model that adds a correction to its keypoints.

    Args:
        source: the model's file.
        target: the copy.
        weights: `(F, 2 K)`.
        bias: `(2 K,)`, px of the crop.
        adapted: what it was fitted on, as JSON in the metadata `adapted`.

    Raises:
        RunError: the file has another form, or was adapted before.
    """
    model = onnx.load(source)
    graph = model.graph
    if any(_OLD in node.output for node in graph.node):
        raise RunError(f"{source}: is adapted already; adapt the file that it was made of")
    features = _features(model, source)
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [_OLD if name == _KEYPOINTS else name for name in names]
    shape = np.array([-1, len(bias) // 2, 2], np.int64)
    for name, value in (("weights", weights), ("bias", bias), ("shape", shape)):
        graph.initializer.append(onnx.numpy_helper.from_array(value, f"adaptation_{name}"))
    make = onnx.helper.make_node
    graph.node.extend(
        [
            make("MatMul", [features, "adaptation_weights"], ["adaptation_product"]),
            make("Add", ["adaptation_product", "adaptation_bias"], ["adaptation_sum"]),
            make("Reshape", ["adaptation_sum", "adaptation_shape"], ["adaptation"]),
            make("Add", [_OLD, "adaptation"], [_KEYPOINTS]),
        ]
    )
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    metadata["adapted"] = json.dumps(adapted, sort_keys=True)
    onnx.helper.set_model_props(model, metadata)
    onnx.checker.check_model(model, full_check=True)
    with write_atomically(target) as part:
        part.write_bytes(model.SerializeToString())
