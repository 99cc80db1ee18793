"""The face detector as an ONNX graph: network, decoding and non-maximum suppression.

Legend: C cells of the three output grids, K cells that see a face, M boxes that remain.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from export.convert import OPSET, check
from export.graph import Graph, add_layers

STRIDES = (8, 16, 32)  # px, in the order of the network's outputs
# Power that the network's probabilities are raised to, so that the runtime's threshold of 0.5 is a
# sensible one: with it, training photos without faces give about 0.005 false alarms each.
SCORE_POWER = 1.4
MIN_SCORE = 0.1  # boxes with a lower score are not returned
_MAX_IOU = 0.4  # intersection over union above which two boxes are the same face
_MAX_BOXES = 300  # boxes per image
_OUTPUTS = 7  # of a cell, with the roll
_TINY = 1e-12  # length of the vector of the roll below which it is taken to be this long
_MAX_LOG_SIDE = 4.0  # limit on log(side of a box / stride), as in training


def to_onnx(network: Any) -> onnx.ModelProto:
    """Convert a Keras detector and append decoding and non-maximum suppression.

    Few cells see a face, so cells below `MIN_SCORE` are dropped before boxes are decoded.

    Args:
        network: a Keras model from uint8 `(1, H, W, 1)` to outputs `(1, C, 7)`, or `(1, C, 5)` if
            it does not predict the roll; the file then has no output for it.

    Returns:
        A checked ONNX model with the contract's input and outputs. H and W are dynamic; they must
        be multiples of 32.

    Raises:
        ExportError: the network has an unsupported layer, or the model is invalid.
    """
    graph = Graph()
    outputs = add_layers(graph, network, "image")  # [1, 5 or 7, C]
    logits = graph.add("Gather", outputs, graph.constant(0, np.int64), axis=1)  # [1, C]
    is_face = graph.add("Greater", logits, graph.constant([[_min_logit()]]))
    cells = graph.add("Gather", graph.add("NonZero", is_face), graph.constant(1, np.int64))  # [K]
    rows = graph.add("Gather", outputs, cells, axis=2)  # [1, 5 or 7, K]
    scores = _add_scores(graph, rows)  # [1, 1, K]
    boxes = _add_boxes(graph, rows, cells)  # [1, K, 4]: centre x and y, width, height
    kept = _add_suppression(graph, boxes, scores)  # [M]
    _add_results(graph, boxes, scores, kept)
    results: dict[str, list[str | int]] = {"boxes": ["M", 4], "scores": ["M"]}
    if has_roll(network):
        _add_roll(graph, rows, kept)
        results["roll"] = ["M"]
    proto = graph.build(
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, "H", "W", 1])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in results.items()
        ],
        OPSET,
    )
    check(proto)
    return proto


def has_roll(network: Any) -> bool:
    """Whether a Keras detector predicts the roll of each face."""
    return bool(network.output_shape[-1] == _OUTPUTS)


class DecodedCells(NamedTuple):
    """What the outputs of all cells mean.

    Attributes:
        boxes: float32 `(C, 4)`: x, y, width, height, px, of the face stood upright.
        scores: float32 `(C,)`, 0–1.
        rolls: float32 `(C,)`, degrees clockwise as seen, −180–180; None if they are not predicted.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    rolls: NDArray[np.float32] | None


def decode(outputs: NDArray[np.float32], shape: tuple[int, int]) -> DecodedCells:
    """Decode the network's outputs for all cells, as the graph does for those it keeps.

    Args:
        outputs: `(C, 7)`: logit, offset x and y in strides, log of width and height over stride,
            perhaps cosine and sine of the roll times any positive factor.
        shape: height and width of the image, px.
    """
    centres, steps = [], []
    for stride in STRIDES:
        y, x = np.mgrid[: shape[0] // stride, : shape[1] // stride].reshape(2, -1)
        centres.append((np.stack([x, y], axis=1) + 0.5) * stride - 0.5)
        steps.append(np.full((len(x), 1), stride))
    step = np.concatenate(steps)
    centre = np.concatenate(centres) + outputs[:, 1:3] * step
    size = np.exp(np.minimum(outputs[:, 3:5], _MAX_LOG_SIDE)) * step
    scores = (1 / (1 + np.exp(-outputs[:, 0]))) ** SCORE_POWER
    boxes = np.concatenate([centre - size / 2 + 0.5, size], axis=1)
    rolls = None
    if outputs.shape[1] == _OUTPUTS:
        rolls = np.degrees(np.arctan2(outputs[:, 6], outputs[:, 5])).astype(np.float32)
    return DecodedCells(boxes.astype(np.float32), scores.astype(np.float32), rolls)


def _min_logit() -> float:
    """The logit whose score is `MIN_SCORE`."""
    probability = MIN_SCORE ** (1 / SCORE_POWER)
    return math.log(probability / (1 - probability)) if probability > 0 else -math.inf


def _add_scores(graph: Graph, rows: str) -> str:
    logit = graph.add("Gather", rows, graph.constant([0], np.int64), axis=1)
    probability = graph.add("Sigmoid", logit)
    return graph.add("Pow", probability, graph.constant(SCORE_POWER))


def _add_boxes(graph: Graph, rows: str, cells: str) -> str:
    """Boxes of the cells with the numbers `cells` [K]; as `train.detector.losses.decode`."""
    x, y, strides = _add_cells(graph, cells)
    step = graph.add("Unsqueeze", strides, graph.constant([0, 1], np.int64))  # [1, 1, K]
    corners = [graph.add("Unsqueeze", at, graph.constant([0, 1], np.int64)) for at in (x, y)]
    one, three, five = (graph.constant([at], np.int64) for at in (1, 3, 5))
    axis = graph.constant([1], np.int64)
    offset = graph.add("Slice", rows, one, three, axis)
    size = graph.add("Slice", rows, three, five, axis)
    # (cell + 0.5) · stride − 0.5 is the centre of a cell, with pixel centres at integers.
    centre = graph.add("Add", graph.add("Concat", *corners, axis=1), graph.constant([[[0.5]]]))
    centre = graph.add("Mul", graph.add("Add", centre, offset), step)
    centre = graph.add("Sub", centre, graph.constant([[[0.5]]]))
    size = graph.add("Min", size, graph.constant([[[_MAX_LOG_SIDE]]]))
    size = graph.add("Mul", graph.add("Exp", size), step)
    return graph.add("Transpose", graph.add("Concat", centre, size, axis=1), perm=[0, 2, 1])


def _add_cells(graph: Graph, cells: str) -> tuple[str, str, str]:
    """Column, row and stride, float `[K]` each, of the cells with the numbers `cells`.

    Cells are numbered in row-major order, finest grid first.
    """
    strides = graph.constant(STRIDES, np.int64)
    columns, counts, ends = _add_grid_sizes(graph, strides)
    number = graph.add("Unsqueeze", cells, graph.constant([1], np.int64))
    is_past = graph.add("GreaterOrEqual", number, ends)  # [K, 3]
    level = graph.add("Cast", is_past, to=TensorProto.INT64)
    level = graph.add("ReduceSum", level, graph.constant([1], np.int64), keepdims=0)
    starts = graph.add("Sub", ends, counts)
    index = graph.add("Sub", cells, graph.add("Gather", starts, level))  # within its grid
    width = graph.add("Gather", columns, level)
    integers = (
        graph.add("Mod", index, width),
        graph.add("Div", index, width),
        graph.add("Gather", strides, level),
    )
    x, y, stride = (graph.add("Cast", value, to=TensorProto.FLOAT) for value in integers)
    return x, y, stride


def _add_grid_sizes(graph: Graph, strides: str) -> tuple[str, str, str]:
    """Columns, cells and cumulative cells of each stride's grid, int64 `[3]` each."""
    sides = graph.add("Shape", "image", start=1, end=3)  # H, W
    grid = graph.add("Div", graph.add("Unsqueeze", sides, graph.constant([1], np.int64)), strides)
    columns = graph.add("Gather", grid, graph.constant(1, np.int64))
    counts = graph.add("ReduceProd", grid, axes=[0], keepdims=0)
    return columns, counts, graph.add("CumSum", counts, graph.constant(0, np.int64))


def _add_suppression(graph: Graph, boxes: str, scores: str) -> str:
    """Rows of the boxes that remain after non-maximum suppression, `[M]`."""
    limits = [graph.constant(_MAX_BOXES, np.int64), graph.constant(_MAX_IOU)]
    threshold = graph.constant(MIN_SCORE)
    kept = graph.add(
        "NonMaxSuppression", boxes, scores, *limits, threshold, center_point_box=1
    )  # [M, 3]: image, class, row
    return graph.add("Gather", kept, graph.constant(2, np.int64), axis=1)


def _add_results(graph: Graph, boxes: str, scores: str, kept: str) -> None:
    """The outputs `boxes` [M, 4]: x, y, width, height, and `scores` [M]."""
    centre, size = (
        graph.add("Gather", graph.add("Squeeze", half, graph.constant([0], np.int64)), kept)
        for half in _halves(graph, boxes)
    )
    half_size = graph.add("Mul", size, graph.constant([[0.5]]))
    # An edge at −0.5 is that of the pixel whose centre is 0.
    corner = graph.add("Sub", graph.add("Add", centre, graph.constant([[0.5]])), half_size)
    graph.add("Concat", corner, size, axis=1, name="boxes")
    flat = graph.add("Reshape", scores, graph.constant([-1], np.int64))
    graph.add("Gather", flat, kept, name="scores")


def _add_roll(graph: Graph, rows: str, kept: str) -> None:
    """The output `roll` [M]: the angle of cosine and sine, degrees.

    ONNX has no atan2. The arc cosine of the normalised vector covers one half of the circle with an
    error of at most 0.03°, and the sign of the sine tells the halves apart.
    """
    axis = graph.constant([1], np.int64)
    bounds = [graph.constant([at], np.int64) for at in (5, 6, 7)]
    cosine, sine = (
        graph.add("Gather", graph.add("Slice", rows, *bounds[i : i + 2], axis), kept, axis=2)
        for i in (0, 1)
    )  # [1, 1, M]
    squares = [graph.add("Mul", part, part) for part in (cosine, sine)]
    length = graph.add("Sqrt", graph.add("Add", *squares))
    # The vector 0 gets the roll 90° instead of none; rounding must not exceed 1.
    length = graph.add("Max", length, graph.constant(_TINY))
    ratio = graph.add("Div", cosine, length)
    ratio = graph.add("Clip", ratio, graph.constant(-1.0), graph.constant(1.0))
    angle = graph.add("Mul", graph.add("Acos", ratio), graph.constant(180 / math.pi))
    is_negative = graph.add("Less", sine, graph.constant(0.0))
    angle = graph.add("Where", is_negative, graph.add("Neg", angle), angle)
    graph.add("Reshape", angle, graph.constant([-1], np.int64), name="roll")


def _halves(graph: Graph, boxes: str) -> tuple[str, str]:
    """Centres and sizes `[1, K, 2]` of boxes `[1, K, 4]`."""
    axis = graph.constant([2], np.int64)
    bounds = [graph.constant([at], np.int64) for at in (0, 2, 4)]
    centres, sizes = (graph.add("Slice", boxes, *bounds[i : i + 2], axis) for i in (0, 1))
    return centres, sizes
