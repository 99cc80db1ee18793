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
# sensible one: with it, training photos without faces give about 0.01 false alarms each.
SCORE_POWER = 1.7
MIN_SCORE = 0.1  # boxes with a lower score are not returned
_MAX_IOU = 0.4  # intersection over union above which two boxes are the same face
_MAX_BOXES = 300  # boxes per image
_TINY = 1e-12  # far below the sine of any roll
_MAX_LOG_SIDE = 4.0  # limit on log(side of a box / stride), as in training


def to_onnx(network: Any) -> onnx.ModelProto:
    """Convert a Keras detector and append decoding and non-maximum suppression.

    Few cells see a face, so cells below `MIN_SCORE` are dropped before boxes are decoded. Each of
    the many small operators takes 2 µs or more, hence as few as possible.

    Args:
        network: a Keras model from uint8 `(1, H, W, 1)` to outputs `(1, C, 7)`.

    Returns:
        A checked ONNX model with the contract's input and outputs. H and W are dynamic; they must
        be multiples of 32.

    Raises:
        ExportError: the network has an unsupported layer, or the model is invalid.
    """
    graph = Graph()
    outputs = add_layers(graph, network, "image", _cell_constants())  # [9, C]
    logits = graph.add("Gather", outputs, graph.constant(0, np.int64))  # [C]
    is_face = graph.add("Greater", logits, graph.constant([_min_logit()]))
    cells = graph.add("NonZero", is_face)  # [1, K]
    rows = graph.add("Gather", outputs, cells, axis=1)  # [9, 1, K]
    logit, offset, log_size, vector, stride, start = graph.split(rows, (1, 2, 2, 2, 1, 1), axis=0)
    boxes = _add_boxes(graph, _add_positions(graph, cells, stride, start), offset, log_size, stride)
    kept = _add_suppression(graph, boxes, logit)  # [M]
    table = graph.add("Concat", boxes, logit, vector, axis=0)  # [7, 1, K]
    table = graph.add("Gather", table, kept, axis=2)
    table = graph.add("Reshape", table, graph.constant([7, -1], np.int64))
    _add_results(graph, table)
    results: dict[str, list[str | int]] = {"boxes": ["M", 4], "scores": ["M"], "roll": ["M"]}
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


class DecodedCells(NamedTuple):
    """What the outputs of all cells mean.

    Attributes:
        boxes: float32 `(C, 4)`: x, y, width, height, px, of the face stood upright.
        scores: float32 `(C,)`, 0–1.
        rolls: float32 `(C,)`, degrees clockwise as seen, −180–180.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    rolls: NDArray[np.float32]


def decode(outputs: NDArray[np.float32], shape: tuple[int, int]) -> DecodedCells:
    """Decode the network's outputs for all cells, as the graph does for those it keeps.

    Args:
        outputs: `(C, 7)`: logit, offset x and y in strides, log of width and height over stride,
            cosine and sine of the roll times any positive factor.
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
    rolls = np.degrees(np.arctan2(outputs[:, 6], outputs[:, 5]))
    return DecodedCells(*(each.astype(np.float32) for each in (boxes, scores, rolls)))


def _min_logit() -> float:
    """The logit whose score is `MIN_SCORE`."""
    probability = MIN_SCORE ** (1 / SCORE_POWER)
    return math.log(probability / (1 - probability)) if probability > 0 else -math.inf


def _cell_constants() -> dict[str, list[float]]:
    """By prediction layer, what all cells of its grid have in common: two further channels.

    These are the stride, and the number of cells of finer grids per pixel of the image, which
    float32 holds exactly: 0, 1/64 and 5/256.
    """
    starts = np.cumsum([0.0, *(1 / stride**2 for stride in STRIDES)])
    return {
        f"stride_{stride}_answer": [float(stride), float(start)]
        for stride, start in zip(STRIDES, starts, strict=False)
    }


def _add_positions(graph: Graph, cells: str, stride: str, start: str) -> str:
    """The centres [2, 1, K] of cells, x and y in strides from the image's corner.

    Cells are numbered in row-major order, finest grid first. The half that is added to a number
    becomes that of its column, and keeps the quotient off whole numbers.
    """
    sides = graph.add("Shape", "image", start=1, end=3)  # H, W
    sides = graph.add("Cast", sides, to=TensorProto.FLOAT)
    area = graph.add("ReduceProd", sides)
    width = graph.add("Gather", sides, graph.constant([1], np.int64))
    half = graph.constant([0.5])
    number = graph.add("Add", graph.add("Cast", cells, to=TensorProto.FLOAT), half)
    number = graph.add("Sub", number, graph.add("Mul", start, area))  # within its grid
    columns = graph.add("Div", width, stride)
    row = graph.add("Floor", graph.add("Div", number, columns))
    column = graph.add("Sub", number, graph.add("Mul", row, columns))
    return graph.add("Concat", column, graph.add("Add", row, half), axis=0)


def _add_boxes(graph: Graph, positions: str, offset: str, log_size: str, stride: str) -> str:
    """Boxes [4, 1, K]: x and y of the centre from the image's corner, width, height, px."""
    centre = graph.add("Mul", graph.add("Add", positions, offset), stride)
    size = graph.add("Exp", graph.add("Min", log_size, graph.constant([_MAX_LOG_SIDE])))
    return graph.add("Concat", centre, graph.add("Mul", size, stride), axis=0)


def _add_suppression(graph: Graph, boxes: str, logit: str) -> str:
    """Columns of the boxes that remain after non-maximum suppression, `[M]`."""
    rows = graph.add("Transpose", boxes, perm=[1, 2, 0])
    limits = [graph.constant(_MAX_BOXES, np.int64), graph.constant(_MAX_IOU)]
    kept = graph.add(
        "NonMaxSuppression", rows, logit, *limits, center_point_box=1
    )  # [M, 3]: image, class, row
    return graph.add("Gather", kept, graph.constant(2, np.int64), axis=1)


def _add_results(graph: Graph, table: str) -> None:
    """The outputs, of rows [7, M]: box as in `_add_boxes`, logit, cosine and sine of the roll."""
    centre, size, logit, vector = graph.split(table, (2, 2, 1, 2), axis=0)
    # An edge at −0.5 is that of the pixel whose centre is 0: the corner's x is that of a centre.
    corner = graph.add("Sub", centre, graph.add("Mul", size, graph.constant([0.5])))
    graph.add("Transpose", graph.add("Concat", corner, size, axis=0), perm=[1, 0], name="boxes")
    score = graph.add("Pow", graph.add("Sigmoid", logit), graph.constant(SCORE_POWER))
    flat = graph.constant([-1], np.int64)
    graph.add("Reshape", score, flat, name="scores")
    graph.add("Reshape", _add_roll(graph, vector), flat, name="roll")


def _add_roll(graph: Graph, vector: str) -> str:
    """The angle `[1, M]` of vectors [2, M], cosine and sine times any factor, degrees.

    ONNX has no atan2; half of the angle is the arc tangent of sine / (length + cosine). What is
    added gives the vector (−1, 0) its 180°, and keeps the quotient of the vector 0 finite.
    """
    cosine, sine = graph.split(vector, (1, 1), axis=0)
    length = graph.add("ReduceL2", vector, axes=[0])
    adjacent = graph.add("Add", graph.add("Add", length, cosine), graph.constant([_TINY**2]))
    ratio = graph.add("Div", graph.add("Add", sine, graph.constant([_TINY])), adjacent)
    return graph.add("Mul", graph.add("Atan", ratio), graph.constant([360 / math.pi]))
