"""Keypoint networks with known further outputs, made from the embedded one, for tests."""

import json

import numpy as np

from edge.geometry.points68 import MIRROR_ORDER_68, OUTER_EYE_CORNERS_68
from edge.keypoints import KEYPOINT_NAMES, MIRROR_ORDER, OUTER_EYE_CORNERS
from edge.networks.keypoint_model import EMBEDDED

# Which keypoint each of the 68 points repeats; the outer eye corners are those of both schemes.
# Counterparts among the 68 repeat counterparts among the 15.
REPEATED = np.full(68, KEYPOINT_NAMES.index("nose_tip"))
for _point, _other in enumerate(MIRROR_ORDER_68):
    if _point < _other:
        _keypoint = _point % 10  # of the eyes and brows
        REPEATED[[_point, _other]] = _keypoint, MIRROR_ORDER[_keypoint]
REPEATED[list(OUTER_EYE_CORNERS_68)] = OUTER_EYE_CORNERS
ERROR90 = np.linspace(2, 3.4, 15)  # factors, the same for both sides
ERROR90 = ((ERROR90 + ERROR90[list(MIRROR_ORDER)]) / 2).round(3)


def write_keypoint_model(path, points68=True, error90=ERROR90, source=EMBEDDED):
    """Write a network that predicts the keypoints of `source`; needs the package onnx.

    Args:
        path: of the file.
        points68: whether it has that output, the keypoints of `REPEATED`.
        error90: factors in its metadata, or None.
        source: an `.onnx` file of a keypoint network.
    """
    import onnx

    model = onnx.load(source)
    graph = model.graph
    kept = [output for output in graph.output if output.name != "points68"]
    for node in graph.node:
        node.output[:] = ["own_points68" if name == "points68" else name for name in node.output]
    if points68:
        graph.initializer.append(onnx.numpy_helper.from_array(REPEATED, "repeated"))
        graph.node.append(
            onnx.helper.make_node("Gather", ["keypoints", "repeated"], ["points68"], axis=1)
        )
        shape = ["N", 68, 2]
        kept.append(onnx.helper.make_tensor_value_info("points68", onnx.TensorProto.FLOAT, shape))
    del graph.output[:]
    graph.output.extend(kept)
    metadata = {entry.key: entry.value for entry in model.metadata_props if entry.key != "error90"}
    if error90 is not None:
        metadata["error90"] = json.dumps(np.asarray(error90).tolist())
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path
