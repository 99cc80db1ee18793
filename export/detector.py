"""The face detector as ONNX: the network, the decoding of its answers, and which boxes remain.

Legend: C cells, K cells that see a face, M boxes.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from edge.geometry.boxes import intersection_over_union
from edge.image import load_image, to_grey
from edge.networks.contract import COORDINATE_CONVENTION
from edge.networks.face_detector import FaceDetector, working_shape
from edge.resize import resize
from export.convert import OPSET, check
from export.errors import AccuracyError, ParityError
from export.graph import Graph, add_layers

STRIDES = (8, 16, 32)  # px, as the network's outputs are ordered
BOX_CONVENTION = "x, y, width, height; mid-forehead to chin, cheek to cheek; x, y centre of a pixel"
# Of the network's chance of a face, so that the runtime's threshold of 0.5 is a sensible one: with
# it, photos without faces from training give about 0.005 false alarms each.
_POWER = 1.4
LEAST_SCORE = 0.1  # boxes below it are not given
_OVERLAP = 0.4  # intersection over union above which two boxes are of one face
_MOST = 300  # boxes of one picture
_LARGEST_LOG = 4.0  # of a box's side over the stride, as in training
_SIZES = (320, 640)  # px, of the longer side, at which photos are searched
_SURE, _SAME, _FOUND_AGAIN = 0.5, 0.7, 0.97  # score; intersection over union; share
_PARITY_PX, _PARITY_SCORE = 0.05, 0.002
_SAMPLE = Path(__file__).parents[1] / "edge" / "data" / "astronaut.jpg"


def to_onnx(network: Any) -> onnx.ModelProto:
    """Put together the network and what makes boxes of its answers.

    Few cells see a face, so the sure ones are picked first and only those decoded.

    Args:
        network: a Keras model from uint8 `(1, H, W, 1)` to answers `(1, C, 5)`.

    Returns:
        A checked ONNX model with the contract's input and outputs; H and W are open, multiples of
        32.

    Raises:
        ExportError: the network has a layer that is not known here, or the model is invalid.
    """
    graph = Graph()
    answers = add_layers(graph, network, "image")  # [1, 5, C]
    logits = graph.add("Gather", answers, graph.constant(0, np.int64), axis=1)  # [1, C]
    sure = graph.add("Greater", logits, graph.constant([[_least_logit()]]))
    places = graph.add("Gather", graph.add("NonZero", sure), graph.constant(1, np.int64))  # [K]
    rows = graph.add("Gather", answers, places, axis=2)  # [1, 5, K]
    scores = _add_scores(graph, rows)  # [1, 1, K]
    boxes = _add_boxes(graph, rows, places)  # [1, K, 4]: centre x and y, width, height
    kept = graph.add(
        "NonMaxSuppression",
        *(boxes, scores, graph.constant(_MOST, np.int64), graph.constant(_OVERLAP)),
        graph.constant(LEAST_SCORE),
        center_point_box=1,
    )  # [M, 3]: picture, class, row
    kept = graph.add("Gather", kept, graph.constant(2, np.int64), axis=1)
    centre, size = (
        graph.add("Gather", graph.add("Squeeze", part, graph.constant([0], np.int64)), kept)
        for part in _halves(graph, boxes, 2)
    )
    half = graph.add("Mul", size, graph.constant([[0.5]]))
    # An edge at −0.5 is that of the pixel whose centre is 0.
    corner = graph.add("Sub", graph.add("Add", centre, graph.constant([[0.5]])), half)
    graph.add("Concat", corner, size, axis=1, name="boxes")
    flat = graph.add("Reshape", scores, graph.constant([-1], np.int64))
    graph.add("Gather", flat, kept, name="scores")
    proto = graph.build(
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, "H", "W", 1])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["M", 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["M"]),
        ],
        OPSET,
    )
    check(proto)
    return proto


def _least_logit() -> float:
    chance = LEAST_SCORE ** (1 / _POWER)
    return math.log(chance / (1 - chance)) if chance > 0 else -math.inf


def _halves(graph: Graph, tensor: str, axis: int) -> tuple[str, str]:
    """The first two and the last two of a tensor along an axis, as views of four."""
    axes = graph.constant([axis], np.int64)
    bounds = [graph.constant([at], np.int64) for at in (0, 2, 4)]
    first, second = (graph.add("Slice", tensor, *bounds[i : i + 2], axes) for i in (0, 1))
    return first, second


def _add_scores(graph: Graph, rows: str) -> str:
    logit = graph.add("Gather", rows, graph.constant([0], np.int64), axis=1)
    chance = graph.add("Sigmoid", logit)
    return graph.add("Pow", chance, graph.constant(_POWER))


def _add_boxes(graph: Graph, rows: str, places: str) -> str:
    """Boxes of the cells at `places` [K]; as `train.detector.losses.decode`."""
    x, y, strides = _add_cells(graph, places)
    step = graph.add("Unsqueeze", strides, graph.constant([0, 1], np.int64))  # [1, 1, K]
    cells = [graph.add("Unsqueeze", at, graph.constant([0, 1], np.int64)) for at in (x, y)]
    one, three, five = (graph.constant([at], np.int64) for at in (1, 3, 5))
    axis = graph.constant([1], np.int64)
    shift = graph.add("Slice", rows, one, three, axis)
    size = graph.add("Slice", rows, three, five, axis)
    # (cell + 0.5) · stride − 0.5 is the centre of a cell, with pixel centres at integers.
    centre = graph.add("Add", graph.add("Concat", *cells, axis=1), graph.constant([[[0.5]]]))
    centre = graph.add("Mul", graph.add("Add", centre, shift), step)
    centre = graph.add("Sub", centre, graph.constant([[[0.5]]]))
    size = graph.add("Min", size, graph.constant([[[_LARGEST_LOG]]]))
    size = graph.add("Mul", graph.add("Exp", size), step)
    return graph.add("Transpose", graph.add("Concat", centre, size, axis=1), perm=[0, 2, 1])


def _add_cells(graph: Graph, places: str) -> tuple[str, str, str]:
    """Column, row and stride, float `[K]` each, of the cells at `places`.

    Cells are numbered row by row, finest stride first.
    """
    strides = graph.constant(STRIDES, np.int64)
    sides = graph.add("Shape", "image", start=1, end=3)  # H, W
    grid = graph.add("Div", graph.add("Unsqueeze", sides, graph.constant([1], np.int64)), strides)
    columns = graph.add("Gather", grid, graph.constant(1, np.int64))  # [3], of each stride
    counts = graph.add("ReduceProd", grid, axes=[0], keepdims=0)
    ends = graph.add("CumSum", counts, graph.constant(0, np.int64))
    column = graph.add("Unsqueeze", places, graph.constant([1], np.int64))
    past = graph.add("GreaterOrEqual", column, ends)  # [K, 3]
    level = graph.add("Cast", past, to=TensorProto.INT64)
    level = graph.add("ReduceSum", level, graph.constant([1], np.int64), keepdims=0)
    starts = graph.add("Sub", ends, counts)
    inside = graph.add("Sub", places, graph.add("Gather", starts, level))
    width = graph.add("Gather", columns, level)
    found = (
        graph.add("Mod", inside, width),
        graph.add("Div", inside, width),
        graph.add("Gather", strides, level),
    )
    x, y, stride = (graph.add("Cast", part, to=TensorProto.FLOAT) for part in found)
    return x, y, stride


def describe(record: dict[str, Any], sha256: str, license_text: str) -> dict[str, str]:
    """The contract's metadata for a run's detector."""
    recipe = record["recipe"]
    return {
        "box_convention": BOX_CONVENTION,
        "coordinate_convention": COORDINATE_CONVENTION,
        "model_version": f"{recipe['name']}-{sha256[:8]}",
        "training_run": json.dumps(
            {"recipe": recipe, "commit": record.get("commit")}, sort_keys=True
        ),
        "training_data": json.dumps(record["data_sha256"], sort_keys=True),
        "license": license_text,
        "sha256_keras": sha256,
    }


def check_parity(network: Any, path: Path) -> str:
    """Compare the file with the Keras model on the sample picture; returns what was compared.

    Raises:
        ParityError: a box or a score differs.
    """
    grey = to_grey(load_image(_SAMPLE))
    shape = working_shape(320, 320)
    small = resize(grey, shape)
    detections = FaceDetector(path)(small, shape[0])
    boxes, scores = detections.boxes, np.asarray(detections.scores)
    if not len(boxes):
        raise ParityError(f"{path}: finds no face in the sample picture")
    answers = keras.ops.convert_to_numpy(network(small[None, ..., None], training=False))[0]
    all_boxes, all_scores = decode(answers, shape)
    apart = np.abs(all_boxes[None] - boxes[:, None]).max(axis=2)  # (M, C)
    which = apart.argmin(axis=1)
    worst, worst_score = float(apart.min(axis=1).max()), np.abs(all_scores[which] - scores).max()
    if worst > _PARITY_PX or worst_score > _PARITY_SCORE:
        raise ParityError(
            f"{path}: differs from the Keras model by {worst:.3f} px and {worst_score:.4f} in score"
        )
    return f"Keras and ONNX differ by at most {worst:.5f} px and {worst_score:.6f} in score."


def calibrate(pictures: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Pictures as the network sees them, uint8 `(1, H, W, 1)`, at one size and another in turn."""
    return [FaceDetector.letterbox(picture, _SIZES[i % 2])[0] for i, picture in enumerate(pictures)]


def check_int8(full: Path, small: Path, pictures: list[NDArray[np.uint8]]) -> str:
    """Compare the quantised file with the other on photos; returns what was compared.

    Raises:
        AccuracyError: it finds too few of the faces that the other is sure of.
    """
    one, other = FaceDetector(full), FaceDetector(small)
    sure = again = 0
    for picture in pictures:
        boxes = one(picture, _SIZES[1]).above(_SURE).boxes
        overlaps = intersection_over_union(boxes, other(picture, _SIZES[1]).boxes)
        sure += len(boxes)
        again += int((overlaps.max(axis=1, initial=0.0) >= _SAME).sum())
    if again < _FOUND_AGAIN * sure:
        raise AccuracyError(
            f"int8 finds {again} of the {sure} faces that fp32 finds on {len(pictures)} photos; "
            f"at least {_FOUND_AGAIN:.0%} are asked for; export with --no-int8"
        )
    return f"int8 finds {again} of the {sure} faces that fp32 finds on {len(pictures)} photos."


def decode(
    answers: NDArray[np.float32], shape: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes `(C, 4)` and scores `(C,)` of all cells, as the graph has them of the sure ones.

    Args:
        answers: `(C, 5)`, the network's.
        shape: height and width of the picture, px.
    """
    cells, steps = [], []
    for stride in STRIDES:
        y, x = np.mgrid[: shape[0] // stride, : shape[1] // stride].reshape(2, -1)
        cells.append((np.stack([x, y], axis=1) + 0.5) * stride - 0.5)
        steps.append(np.full((len(x), 1), stride))
    step = np.concatenate(steps)
    centre = np.concatenate(cells) + answers[:, 1:3] * step
    size = np.exp(np.minimum(answers[:, 3:5], _LARGEST_LOG)) * step
    scores = (1 / (1 + np.exp(-answers[:, 0]))) ** _POWER
    boxes = np.concatenate([centre - size / 2 + 0.5, size], axis=1)
    return boxes.astype(np.float32), scores.astype(np.float32)
