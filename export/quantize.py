"""Static int8 quantisation in QDQ form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from export.calibration import CalibrationBatches, face_batches
from export.errors import ExportError
from export.pyramid import prepare_pyramid
from export.stem import PixelInput, feed_pixels, group_pixels

# The layers with weights; the others are cheap. ReLU is among them so that a convolution's range is
# that of its ReLU's output, and 8-bit values go from one convolution to the next; without it each
# pair spent 8 µs, a third of its time, on conversion to float32 and back.
_OP_TYPES = ["Conv", "MatMul", "Gemm", "Relu"]
_PYRAMID_OP_TYPES = ["Add", "Expand"]


def quantize(fp32_path: Path, faces: NDArray[np.uint8], folder: Path) -> onnx.ModelProto:
    """Quantise the keypoint network: its convolutions and the dense layer of the keypoints.

    The dense layers of `error` and `face_score` stay in float32: they are negligible in size, and
    quantising them moved the score of an ambiguous image from 0.2 to 0.5. So does a first
    convolution that `export.stem` does not support.

    Weights are int8 per channel, in 7 bits: processors without VNNI or dot-product instructions
    add pairs of products in 16 bits, which 8-bit weights overflow (onnxruntime, "Quantize ONNX
    models").

    Args:
        fp32_path: the fp32 `.onnx` file.
        faces: uint8 `(N, S, S)`, from which the ranges of the activations are taken.
        folder: for intermediate files.

    Returns:
        The quantised model, without metadata.
    """
    batches = CalibrationBatches("face", face_batches(faces))
    return quantize_graph(fp32_path, batches, _float_nodes_of_keypoints, folder)


def quantize_detector(
    fp32_path: Path, images: list[NDArray[np.uint8]], folder: Path
) -> onnx.ModelProto:
    """Quantise a detector up to the features from which its answers are computed.

    The answers stay in float32: in 8 bits they cost 1 % of precision and save hardly any time. So
    does a first convolution that `export.stem` does not support.

    Args:
        fp32_path: the fp32 `.onnx` file.
        images: uint8 `(1, H, W, 1)`, H and W multiples of 32, from which the ranges are taken.
        folder: for intermediate files.

    Returns:
        The quantised model, without metadata.

    Raises:
        ExportError: the answers have another form than `export.pyramid` knows.
    """
    model = onnx.load(fp32_path)
    features = prepare_pyramid(model)
    if not features:
        raise ExportError(f"{fp32_path}: expected answers by 1×1 convolutions that are flattened")
    path = folder / "pyramid.onnx"
    onnx.save(model, path)
    batches = CalibrationBatches("image", images)
    types = [*_OP_TYPES, *_PYRAMID_OP_TYPES]
    return quantize_graph(path, batches, partial(_nodes_after, features), folder, types)


def quantize_graph(
    fp32_path: Path,
    batches: CalibrationBatches,
    float_nodes: Callable[[onnx.GraphProto], list[str]],
    folder: Path,
    types: Sequence[str] = _OP_TYPES,
) -> onnx.ModelProto:
    """Quantise a network of either kind.

    Args:
        fp32_path: the fp32 `.onnx` file.
        batches: inputs from which the ranges are taken.
        float_nodes: names of the nodes that stay in float32.
        folder: for intermediate files.
        types: of the operators that are quantised.
    """
    model = onnx.load(fp32_path)
    pixels = group_pixels(model)
    named_path, prepared_path, int8_path = (
        folder / f"{step}.onnx" for step in ("named", "prepared", "small")
    )
    onnx.save(_name_nodes(model), named_path)
    quant_pre_process(str(named_path), str(prepared_path), skip_symbolic_shape=True)
    graph = onnx.load(prepared_path).graph
    excluded = float_nodes(graph) if pixels else [*_first_convolution(graph), *float_nodes(graph)]
    _quantize_static(prepared_path, int8_path, batches, types, excluded, pixels)
    int8 = onnx.load(int8_path)
    if pixels:
        feed_pixels(int8)
    return without_unused_domains(int8)


def _quantize_static(
    source: Path,
    target: Path,
    batches: CalibrationBatches,
    types: Sequence[str],
    excluded: list[str],
    pixels: PixelInput | None,
) -> None:
    quantize_static(
        str(source),
        str(target),
        batches,
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=list(types),
        nodes_to_exclude=excluded,
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


def _overrides(pixels: PixelInput) -> dict[str, list[dict[str, Any]]]:
    """The scale and zero point of the pixels, in the form of onnxruntime's quantiser."""
    return {
        pixels.tensor: [
            {"scale": np.array(pixels.scale), "zero_point": np.array(pixels.zero_point)}
        ]
    }


def without_unused_domains(model: onnx.ModelProto) -> onnx.ModelProto:
    """Remove the operator sets that no node uses.

    The quantiser declares all operator sets of its onnxruntime in their newest versions, and an
    older onnxruntime refuses a file that declares a version it does not know.
    """
    used = {node.domain for node in model.graph.node}
    kept = [opset for opset in model.opset_import if opset.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return model


def _name_nodes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Give each node a name, by which the quantiser can exclude it."""
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"node_{number}"
    return model


def _first_convolution(graph: onnx.GraphProto) -> list[str]:
    """Names of the first convolution and of the nodes that use its output."""
    first = next(node for node in graph.node if node.op_type == "Conv")
    return [first.name, *(node.name for node in graph.node if first.output[0] in node.input)]


def _float_nodes_of_keypoints(graph: onnx.GraphProto) -> list[str]:
    """Names of the dense layers of error and face score."""
    trunk = _ancestors(graph, ["keypoints"])
    dense = [node.name for node in graph.node if node.op_type in ("MatMul", "Gemm")]
    return [name for name in dense if name not in trunk]


def _nodes_after(tensors: list[str], graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes that tensors do not depend on."""
    trunk = _ancestors(graph, tensors)
    return [node.name for node in graph.node if node.name not in trunk]


def _ancestors(graph: onnx.GraphProto, tensors: Sequence[str]) -> set[str]:
    """Names of the nodes that tensors depend on."""
    producers = {name: node for node in graph.node for name in node.output}
    visited: set[str] = set()
    pending = list(tensors)
    while pending:
        node = producers.get(pending.pop())
        if node is not None and node.name not in visited:
            visited.add(node.name)
            pending.extend(node.input)
    return visited
