"""The networks' files as engines can take them.

The detector ends with operations on a number of faces that is only known when it runs; few engines
have them. It is therefore also given in two parts: up to the cells, which is the network proper,
and from the cells to the boxes, which onnxruntime runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import onnx
from onnx import TensorProto
from onnx.utils import Extractor

_SHAPES = {"face": (1, 96, 96, 1), "image": (1, 352, 352, 1)}  # by the input's name


class Parts(NamedTuple):
    """A detector's file in two parts.

    Attributes:
        network: from `image` to the outputs of all cells, with a fixed shape.
        boxes: from `image`, of which only the shape is used, and those outputs to the results.
        cells: name of the tensor between them.
    """

    network: onnx.ModelProto
    boxes: onnx.ModelProto
    cells: str


def split_detector(model: onnx.ModelProto) -> Parts:
    """Split a detector before the choice of the cells that see a face.

    Raises:
        ValueError: it makes no such choice.
    """
    model = onnx.shape_inference.infer_shapes(model)
    cells = _cells_of(model)
    extractor = Extractor(model)
    network = extractor.extract_model(["image"], [cells])
    results = [output.name for output in model.graph.output]
    return Parts(fix_shape(network), extractor.extract_model(["image", cells], results), cells)


def _cells_of(model: onnx.ModelProto) -> str:
    """Name of the tensor of all cells: the logits that `Greater` compares are gathered from it."""
    producers = {name: node for node in model.graph.node for name in node.output}
    for node in model.graph.node:
        if node.op_type == "Greater":
            return str(producers[node.input[0]].input[0])
    raise ValueError("not a face detector: no cell is chosen by its score")


def always_computed(model: onnx.ModelProto) -> onnx.ModelProto:
    """A model without the outputs that are computed where an input asks for them.

    Few engines have the branches that these need.
    """
    optional = {value.name for value in model.graph.input} & {
        tensor.name for tensor in model.graph.initializer
    }
    if not optional:
        return model
    branches = {name for node in model.graph.node if node.op_type == "If" for name in node.output}
    inputs = [value.name for value in model.graph.input if value.name not in optional]
    outputs = [value.name for value in model.graph.output if value.name not in branches]
    return Extractor(model).extract_model(inputs, outputs)


def fix_shape(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose input has the shape of one crop, or of an image of 352×352 px."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    (tensor,) = fixed.graph.input
    for size, length in zip(tensor.type.tensor_type.shape.dim, _SHAPES[tensor.name], strict=True):
        size.Clear()
        size.dim_value = length
    return _infer_again(fixed)


def take_floats(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """A copy that takes the pixels as float32, 0–255; None where they are used as integers."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    (tensor,) = changed.graph.input
    cast = next((node for node in changed.graph.node if node.op_type == "Cast"), None)
    if cast is None or not _is_of_pixels(changed, cast):
        return None
    tensor.type.tensor_type.elem_type = TensorProto.FLOAT
    changed.graph.node.remove(cast)
    for node in changed.graph.node:
        for i, name in enumerate(node.input):
            if name == cast.output[0]:
                node.input[i] = cast.input[0]
    return _infer_again(changed)


def _is_of_pixels(model: onnx.ModelProto, cast: Any) -> bool:
    """Whether a `Cast` is the first use of the input, but for a change of its layout."""
    source = model.graph.input[0].name
    layouts = {node.output[0] for node in model.graph.node[:1] if node.op_type == "Transpose"}
    return cast.input[0] in {source, *layouts}


def _infer_again(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with all shapes, which converters trust, inferred from the input's."""
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    inferred = onnx.shape_inference.infer_shapes(model)
    onnx.checker.check_model(inferred, full_check=True)
    return inferred


def save(model: onnx.ModelProto | None, path: Path) -> str | None:
    """Write a model; returns the path, or None without a model."""
    if model is None:
        return None
    onnx.save(model, path)
    return str(path)
