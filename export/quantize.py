"""Static int8 quantisation in QDQ form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

_BATCH = 32  # calibration faces a run
# Only the layers with weights: what lies between them is cheap.
_QUANTISED = ["Conv", "MatMul", "Gemm"]


class _Faces(CalibrationDataReader):
    def __init__(self, faces: NDArray[np.uint8]) -> None:
        self._batches = iter(np.array_split(faces, -(-len(faces) // _BATCH)))

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"face": batch[..., None]}


def quantize(source: Path, faces: NDArray[np.uint8], folder: Path) -> onnx.ModelProto:
    """Quantise the convolutions and dense layers that the keypoints depend on.

    The small heads for error and face score stay as they are: they weigh next to nothing, and the
    score of a doubtful picture moved from 0.2 to 0.5 when they were quantised too.

    Weights are int8 per channel, in 7 bits: processors without VNNI or dot-product instructions
    add pairs of products in 16 bits, which 8-bit weights overflow (onnxruntime, "Quantize ONNX
    models").

    Args:
        source: the fp32 `.onnx` file.
        faces: uint8 `(N, S, S)`, from which the ranges of the activations are taken.
        folder: for intermediate files.

    Returns:
        The quantised model; it has no metadata.
    """
    prepared, target = folder / "prepared.onnx", folder / "quantised.onnx"
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    graph = onnx.load(prepared).graph
    trunk = _ancestors(graph, "keypoints")
    heads = [node.name for node in graph.node if node.name not in trunk]
    quantize_static(
        str(prepared),
        str(target),
        _Faces(faces),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=_QUANTISED,
        nodes_to_exclude=heads,
        # 256 levels would put the coordinates on a grid of a third of a pixel.
        extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul", "Gemm"]},
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
    )
    return onnx.load(target)


def _ancestors(graph: onnx.GraphProto, output: str) -> set[str]:
    """Names of the nodes that `output` depends on."""
    maker = {name: node for node in graph.node for name in node.output}
    found: set[str] = set()
    waiting = [output]
    while waiting:
        node = maker.get(waiting.pop())
        if node is not None and node.name not in found:
            found.add(node.name)
            waiting.extend(node.input)
    return found
