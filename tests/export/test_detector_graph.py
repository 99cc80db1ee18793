import numpy as np
import onnxruntime
import pytest

pytest.importorskip("keras")
pytest.importorskip("onnx")

import keras

from export import detector_graph
from train.detector.network import build

SHAPE = (64, 96)


@pytest.fixture(scope="module")
def network():
    return build(seed=3)


def detect(model, image):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"image": image})


def test_boxes_are_those_of_keras_without_overlaps_best_first(network, monkeypatch):
    monkeypatch.setattr(detector_graph, "MIN_SCORE", 0.0)
    image = np.random.default_rng(0).integers(0, 256, (1, *SHAPE, 1)).astype(np.uint8)
    boxes, scores, rolls = detect(detector_graph.to_onnx(network), image)
    outputs = keras.ops.convert_to_numpy(network(image, training=False))[0]
    cells = detector_graph.decode(outputs, SHAPE)
    distances = np.abs(cells.boxes[None] - boxes[:, None]).max(axis=2)
    assert distances.min(axis=1).max() < 1e-3
    nearest = distances.argmin(axis=1)
    np.testing.assert_allclose(cells.scores[nearest], scores, atol=1e-6)
    np.testing.assert_allclose(cells.rolls[nearest], rolls, atol=0.05)
    assert (np.diff(scores) <= 0).all()
    assert scores[0] == pytest.approx(cells.scores.max(), abs=1e-6)


@pytest.mark.parametrize("roll_deg", [-179.5, -135, -90, -30, 0, 0.5, 45, 90, 135, 179.5])
@pytest.mark.parametrize("length", [0.2, 1.0, 3.0])
def test_the_roll_is_right_in_every_quadrant_whatever_the_vectors_length(
    roll_deg, length, monkeypatch
):
    monkeypatch.setattr(detector_graph, "MIN_SCORE", 0.0)
    network = build()
    angle = np.radians(roll_deg)
    for stride in detector_graph.STRIDES:
        layer = network.get_layer(f"stride_{stride}_answer")
        bias = layer.bias.numpy()
        bias[5:] = length * np.cos(angle), length * np.sin(angle)
        layer.set_weights([np.zeros_like(layer.kernel.numpy()), bias])
    image = np.zeros((1, *SHAPE, 1), np.uint8)
    _, _, rolls = detect(detector_graph.to_onnx(network), image)
    assert len(rolls)
    np.testing.assert_allclose(rolls, roll_deg, atol=0.05)


def test_an_image_without_faces_gives_no_boxes(network):
    found = detect(detector_graph.to_onnx(network), np.zeros((1, *SHAPE, 1), np.uint8))
    assert [array.shape for array in found] == [(0, 4), (0,), (0,)]


def test_a_cells_box_is_centred_on_the_cell_and_one_stride_wide():
    cells = (8 * 12, 4 * 6, 2 * 3)
    outputs = np.zeros((sum(cells), 7), np.float32)
    outputs[:, 6] = 1
    boxes, scores, rolls = detector_graph.decode(outputs, SHAPE)
    # The second cell of the first row at stride 8: centre 11.5, a side of one stride.
    np.testing.assert_allclose(boxes[1], [8, 0, 8, 8])
    np.testing.assert_allclose(boxes[cells[0] + 1], [16, 0, 16, 16])
    np.testing.assert_allclose(scores, 0.5**detector_graph.SCORE_POWER)
    np.testing.assert_allclose(rolls, 90)


def test_the_kept_keras_detector_converts_to_the_embedded_file():
    import onnx

    from edge.networks.face_detector import EMBEDDED
    from export.convert import load_keras
    from tests.conftest import ROOT

    kept = load_keras(ROOT / "export" / "models" / "face" / "model.keras")
    converted, embedded = detector_graph.to_onnx(kept), onnx.load(EMBEDDED)
    assert converted.graph == embedded.graph
