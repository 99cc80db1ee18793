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
    return session.run(["boxes", "scores"], {"image": image})


def test_boxes_are_those_of_keras_without_overlaps_best_first(network, monkeypatch):
    monkeypatch.setattr(detector_graph, "MIN_SCORE", 0.0)
    image = np.random.default_rng(0).integers(0, 256, (1, *SHAPE, 1)).astype(np.uint8)
    boxes, scores = detect(detector_graph.to_onnx(network), image)
    outputs = keras.ops.convert_to_numpy(network(image, training=False))[0]
    all_boxes, all_scores = detector_graph.decode(outputs, SHAPE)
    distances = np.abs(all_boxes[None] - boxes[:, None]).max(axis=2)
    assert distances.min(axis=1).max() < 1e-3
    np.testing.assert_allclose(all_scores[distances.argmin(axis=1)], scores, atol=1e-6)
    assert (np.diff(scores) <= 0).all()
    assert scores[0] == pytest.approx(all_scores.max(), abs=1e-6)


def test_an_image_without_faces_gives_no_boxes(network):
    boxes, scores = detect(detector_graph.to_onnx(network), np.zeros((1, *SHAPE, 1), np.uint8))
    assert (boxes.shape, scores.shape) == ((0, 4), (0,))


def test_a_cells_box_is_centred_on_the_cell_and_one_stride_wide():
    cells = (8 * 12, 4 * 6, 2 * 3)
    boxes, scores = detector_graph.decode(np.zeros((sum(cells), 5), np.float32), SHAPE)
    # The second cell of the first row at stride 8: centre 11.5, a side of one stride.
    np.testing.assert_allclose(boxes[1], [8, 0, 8, 8])
    np.testing.assert_allclose(boxes[cells[0] + 1], [16, 0, 16, 16])
    np.testing.assert_allclose(scores, 0.5**detector_graph.SCORE_POWER)


def test_the_kept_keras_detector_converts_to_the_embedded_file():
    import onnx

    from edge.networks.face_detector import EMBEDDED
    from export.convert import load_keras
    from tests.conftest import ROOT

    kept = load_keras(ROOT / "export" / "models" / "face" / "model.keras")
    converted, embedded = detector_graph.to_onnx(kept), onnx.load(EMBEDDED)
    assert converted.graph == embedded.graph
