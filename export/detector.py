"""The face detector as ONNX: the network, the decoding of its answers, and which boxes remain.

Legend: C cells, M boxes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edge.detector import FaceDetector, working_shape
from edge.image import load_image, resize, to_grey
from edge.keypoints import COORDINATE_CONVENTION
from export.convert import OPSET, check, require_tensorflow
from export.errors import ParityError
from export.simplify import drop_unused, widen_constants

STRIDES = (8, 16, 32)  # px, as the network's outputs are ordered
BOX_CONVENTION = "x, y, width, height; mid-forehead to chin, cheek to cheek; x, y centre of a pixel"
# Of the network's chance of a face. With it, at the runtime's threshold of 0.5, photos without
# faces that were trained on give 0.025 false alarms each; without, 0.26.
_POWER = 2.5
LEAST_SCORE = 0.1  # boxes below it are not given
_OVERLAP = 0.4  # intersection over union above which two boxes are of one face
_MOST = 300  # boxes of one picture
_PARITY_PX, _PARITY_SCORE = 0.05, 0.002
_TRIAL = (64, 96)  # px
_SAMPLE = Path(__file__).parents[1] / "edge" / "data" / "astronaut.jpg"


def to_onnx(network: Any) -> onnx.ModelProto:
    """Convert a detector network and add what makes boxes of its answers.

    Args:
        network: a Keras model from uint8 `(1, H, W, 1)` to answers `(1, C, 5)`.

    Returns:
        A checked ONNX model with the contract's input and outputs; H and W are open, multiples of
        32.

    Raises:
        ExportError: TensorFlow is not Keras's backend, or the ONNX model is invalid.
    """
    require_tensorflow()
    import tensorflow as tf
    import tf2onnx

    @tf.function(input_signature=[tf.TensorSpec([1, None, None, 1], tf.uint8, name="image")])
    def detect(image: Any) -> dict[str, Any]:
        answers = network(image, training=False)[0]  # (C, 5)
        centre, size = _decode(answers, tf.shape(image))
        scores = tf.sigmoid(answers[:, 0]) ** _POWER
        low = centre - size / 2
        corners = tf.reverse(tf.concat([low, low + size], axis=1), axis=[1])  # y before x
        corners = tf.concat([corners[:, 2:], corners[:, :2]], axis=1)
        kept = tf.image.non_max_suppression(corners, scores, _MOST, _OVERLAP, LEAST_SCORE)
        # An edge at −0.5 is that of the pixel whose centre is 0.
        boxes = tf.concat([low + 0.5, size], axis=1)
        return {
            "boxes": tf.identity(tf.gather(boxes, kept), name="boxes"),
            "scores": tf.identity(tf.gather(scores, kept), name="scores"),
        }

    proto: onnx.ModelProto
    proto, _ = tf2onnx.convert.from_function(
        detect, input_signature=detect.input_signature, opset=OPSET
    )
    widen_constants(proto, {"image": np.zeros((1, *_TRIAL, 1), np.uint8)})
    drop_unused(proto.graph)
    _shorten(proto.graph)
    check(proto)
    return proto


def _shorten(graph: onnx.GraphProto) -> None:
    """Number the tensors that nobody asks for by name: names take a twentieth of the file."""
    kept = {value.name for value in (*graph.input, *graph.output)} | {""}
    short: dict[str, str] = {}

    def name(old: str) -> str:
        return old if old in kept else short.setdefault(old, str(len(short)))

    for node in graph.node:
        node.ClearField("name")
        node.input[:] = [name(old) for old in node.input]
        node.output[:] = [name(old) for old in node.output]
    for tensor in graph.initializer:
        tensor.name = name(tensor.name)
    del graph.value_info[:]


def _decode(answers: Any, shape: Any) -> tuple[Any, Any]:
    """Centres and sizes of the boxes, `(C, 2)` px each; as `train.face.losses.decode`."""
    import tensorflow as tf

    cells, steps = [], []
    for stride in STRIDES:
        rows, columns = shape[1] // stride, shape[2] // stride
        x, y = tf.meshgrid(tf.range(columns), tf.range(rows))
        cell = tf.cast(tf.reshape(tf.stack([x, y], axis=-1), (-1, 2)), tf.float32)
        cells.append((cell + 0.5) * stride - 0.5)
        steps.append(tf.ones_like(cell) * stride)
    step = tf.concat(steps, axis=0)
    centre = tf.concat(cells, axis=0) + answers[:, 1:3] * step
    return centre, tf.exp(tf.minimum(answers[:, 3:5], 4.0)) * step


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
    boxes, scores = FaceDetector(path)(small, shape[0])
    if not len(boxes):
        raise ParityError(f"{path}: finds no face in the sample picture")
    answers = np.asarray(network(small[None, ..., None], training=False))[0]
    nearest, apart = _nearest(answers, shape, boxes)
    worst_score = float(np.abs(nearest - scores).max())
    if apart > _PARITY_PX or worst_score > _PARITY_SCORE:
        raise ParityError(
            f"{path}: differs from the Keras model by {apart:.3f} px and {worst_score:.4f} in score"
        )
    return f"Keras and ONNX differ by at most {apart:.5f} px and {worst_score:.6f} in score."


def _nearest(
    answers: NDArray[np.float32], shape: tuple[int, int], boxes: NDArray[np.float32]
) -> tuple[NDArray[np.float32], float]:
    """For each box the score of the cell that gives it, and how far the farthest is from it."""
    import tensorflow as tf

    centre, size = (np.asarray(part) for part in _decode(answers, tf.constant([1, *shape, 1])))
    all_boxes = np.concatenate([centre - size / 2 + 0.5, size], axis=1)
    apart = np.abs(all_boxes[None] - boxes[:, None]).max(axis=2)  # (M, C)
    which = apart.argmin(axis=1)
    scores = (1 / (1 + np.exp(-answers[which, 0]))) ** _POWER
    return scores.astype(np.float32), float(apart.min(axis=1).max())
