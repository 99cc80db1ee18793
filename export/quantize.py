"""Static int8 quantisation in QDQ form."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

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

from export.stem import Grouped, group_pixels, take_pixels

_BATCH = 32  # calibration faces a run
# The layers with weights: what else there is is cheap. ReLU is among them so that a convolution's
# range is that of what it leaves, and 8 bits go from one convolution to the next; without, each
# pair spent 8 µs, a third of its time, on the way to float32 and back.
_QUANTISED = ["Conv", "MatMul", "Gemm", "Relu"]


class _Inputs(CalibrationDataReader):
    def __init__(self, name: str, batches: Iterable[NDArray[np.uint8]]) -> None:
        self._name, self._batches = name, iter(batches)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        batch = next(self._batches, None)
        return None if batch is None else {self._name: batch}


def quantize(source: Path, faces: NDArray[np.uint8], folder: Path) -> onnx.ModelProto:
    """Quantise the convolutions, and the dense layer that the keypoints depend on.

    The dense layers of error and face score stay as they are: they weigh next to nothing, and the
    score of a doubtful picture moved from 0.2 to 0.5 when they were quantised too. A first
    convolution that `export.stem` does not know stays too.

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
    batches = np.array_split(faces[..., None], -(-len(faces) // _BATCH))
    return _quantize(source, _Inputs("face", batches), _keypoints_ends, folder)


def quantize_detector(
    source: Path, pictures: list[NDArray[np.uint8]], folder: Path
) -> onnx.ModelProto:
    """Quantise the 3×3 convolutions of a detector.

    The 1×1 ones join its maps and answer, that is, say how sure it is: in 8 bits they cost 1 % of
    precision, and take hardly less time. They stay as they are, and so does a first convolution
    that `export.stem` does not know.

    Args:
        source: the fp32 `.onnx` file.
        pictures: uint8 `(1, H, W, 1)`, H and W multiples of 32, from which the ranges are taken.
        folder: for intermediate files.

    Returns:
        The quantised model; it has no metadata.
    """
    return _quantize(source, _Inputs("image", pictures), _detectors_ends, folder)


def _quantize(
    source: Path, inputs: _Inputs, ends: Callable[[onnx.GraphProto], list[str]], folder: Path
) -> onnx.ModelProto:
    model = onnx.load(source)
    pixels = group_pixels(model)
    named, prepared, target = (folder / f"{step}.onnx" for step in ("named", "prepared", "small"))
    onnx.save(_named(model), named)
    quant_pre_process(str(named), str(prepared), skip_symbolic_shape=True)
    graph = onnx.load(prepared).graph
    quantize_static(
        str(prepared),
        str(target),
        inputs,
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=_QUANTISED,
        nodes_to_exclude=ends(graph) if pixels else [*_first(graph), *ends(graph)],
        extra_options={
            # 256 levels would put the coordinates on a grid of a third of a pixel.
            "OpTypesToExcludeOutputQuantization": ["MatMul", "Gemm"],
            "TensorQuantOverrides": _overrides(pixels) if pixels else {},
        },
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
    )
    small = onnx.load(target)
    if pixels:
        take_pixels(small)
    return without_unused_domains(small)


def _overrides(pixels: Grouped) -> dict[str, list[dict[str, Any]]]:
    """The scale and zero point of the pixels, as onnxruntime's quantiser takes them."""
    return {pixels.tensor: [{"scale": np.array(pixels.scale), "zero_point": np.array(pixels.zero)}]}


def without_unused_domains(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model without the operator sets that none of its nodes is of.

    Quantising names all that its onnxruntime knows, in their newest versions; one that is older
    would refuse the file for them.
    """
    used = {node.domain for node in model.graph.node}
    kept = [opset for opset in model.opset_import if opset.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return model


def _named(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with a name for each node, by which those left out are told."""
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"node_{number}"
    return model


def _first(graph: onnx.GraphProto) -> list[str]:
    """Names of the first convolution and of what comes right after it."""
    first = next(node for node in graph.node if node.op_type == "Conv")
    return [first.name, *(node.name for node in graph.node if first.output[0] in node.input)]


def _keypoints_ends(graph: onnx.GraphProto) -> list[str]:
    """Names of the dense layers of error and face score."""
    trunk = _ancestors(graph, "keypoints")
    dense = [node.name for node in graph.node if node.op_type in ("MatMul", "Gemm")]
    return [name for name in dense if name not in trunk]


def _detectors_ends(graph: onnx.GraphProto) -> list[str]:
    """Names of the 1×1 convolutions, and of what follows sums of them."""
    makers = {name: node.op_type for node in graph.node for name in node.output}
    sides = {weight.name: list(weight.dims[2:]) for weight in graph.initializer}
    return [
        node.name
        for node in graph.node
        if (node.op_type == "Conv" and sides.get(node.input[1]) == [1, 1])
        or (node.op_type == "Relu" and makers.get(node.input[0]) == "Add")
    ]


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
