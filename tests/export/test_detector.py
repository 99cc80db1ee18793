import numpy as np
import onnxruntime
import pytest

pytest.importorskip("keras")
pytest.importorskip("onnx")

import keras

from export import detector
from train.face.network import build

SHAPE = (64, 96)


@pytest.fixture(scope="module")
def network():
    return build(seed=3)


def find(model, picture):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(["boxes", "scores"], {"image": picture})


def test_boxes_of_all_cells_are_those_of_keras_and_do_not_overlap(network, monkeypatch):
    monkeypatch.setattr(detector, "LEAST_SCORE", 0.0)
    picture = np.random.default_rng(0).integers(0, 256, (1, *SHAPE, 1)).astype(np.uint8)
    boxes, scores = find(detector.to_onnx(network), picture)
    answers = keras.ops.convert_to_numpy(network(picture, training=False))[0]
    all_boxes, all_scores = detector.decode(answers, SHAPE)
    apart = np.abs(all_boxes[None] - boxes[:, None]).max(axis=2)
    assert apart.min(axis=1).max() < 1e-3
    np.testing.assert_allclose(all_scores[apart.argmin(axis=1)], scores, atol=1e-6)
    assert (np.diff(scores) <= 0).all()
    assert scores[0] == pytest.approx(all_scores.max(), abs=1e-6)


def test_a_picture_without_faces_gives_no_boxes(network):
    boxes, scores = find(detector.to_onnx(network), np.zeros((1, *SHAPE, 1), np.uint8))
    assert (boxes.shape, scores.shape) == ((0, 4), (0,))


def test_a_cells_box_lies_around_its_centre_at_its_stride():
    cells = (8 * 12, 4 * 6, 2 * 3)
    boxes, scores = detector.decode(np.zeros((sum(cells), 5), np.float32), SHAPE)
    # The second cell of the first row at stride 8: centre 11.5, a side of one stride.
    np.testing.assert_allclose(boxes[1], [8, 0, 8, 8])
    np.testing.assert_allclose(boxes[cells[0] + 1], [16, 0, 16, 16])
    np.testing.assert_allclose(scores, 0.5**detector._POWER)
