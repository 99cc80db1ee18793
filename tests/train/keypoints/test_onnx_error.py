import json

import numpy as np
import onnx
import pytest

from edge.networks.keypoint_model import KeypointModel
from tests.made_models import write_keypoint_model
from train.errors import RunError
from train.keypoints.onnx_error import write_calibrated

FACTOR = np.linspace(0.5, 2, 15)


def test_the_error_is_multiplied_and_nothing_else_changes(tmp_path, rng):
    source = write_keypoint_model(tmp_path / "a.onnx")
    faces = rng.integers(0, 256, size=(3, 96, 96)).astype(np.uint8)
    write_calibrated(source, tmp_path / "b.onnx", FACTOR, [2.5] * 15, {"faces": 60})
    before, copy = KeypointModel(source), KeypointModel(tmp_path / "b.onnx")
    first, second = before(faces, points68=True), copy(faces, points68=True)
    np.testing.assert_allclose(second.error, first.error * FACTOR, rtol=1e-5)
    np.testing.assert_allclose(second.error90, second.error * 2.5, rtol=1e-5)
    for name in ("keypoints", "face_score", "points68"):
        np.testing.assert_array_equal(getattr(second, name), getattr(first, name))
    changed = {"error90": json.dumps([2.5] * 15), "calibrated": '{"faces": 60}'}
    assert copy.metadata == {**before.metadata, **changed}


def test_factors_of_two_calibrations_are_multiplied_in_one_node(tmp_path, rng):
    path = write_keypoint_model(tmp_path / "a.onnx")
    original = KeypointModel(path)
    for _ in range(2):
        write_calibrated(path, path, FACTOR, [2.5] * 15, {})
    faces = rng.integers(0, 256, size=(2, 96, 96)).astype(np.uint8)
    error = KeypointModel(path)(faces).error
    np.testing.assert_allclose(error, original(faces).error * FACTOR**2, rtol=1e-5)
    names = [tensor.name for tensor in onnx.load(path).graph.initializer]
    assert names.count("error_calibration") == 1


def test_a_model_without_an_error_is_refused(tmp_path):
    path = write_keypoint_model(tmp_path / "a.onnx")
    model = onnx.load(path)
    for node in model.graph.node:
        node.output[:] = ["radius" if name == "error" else name for name in node.output]
    onnx.save(model, path)
    with pytest.raises(RunError, match=r"a\.onnx: expected a keypoint network with the output"):
        write_calibrated(path, tmp_path / "b.onnx", FACTOR, [2.5] * 15, {})
