import numpy as np
import onnxruntime
import pytest

pytest.importorskip("keras")
pytest.importorskip("onnx")

import keras

from export import detector
from train.detector.network import build

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


@pytest.fixture(scope="module")
def pictures():
    from edge.image import load_image, to_grey

    grey = to_grey(load_image(detector._SAMPLE))
    return [grey, np.ascontiguousarray(grey[:, ::-1])]


@pytest.mark.slow
def test_a_quantised_detector_finds_the_same_faces(pictures, tmp_path):
    import onnx

    from edge.networks.face_detector import EMBEDDED
    from export.quantize import quantize_detector

    model = quantize_detector(EMBEDDED, detector.calibrate(pictures), tmp_path)
    metadata = {p.key: p.value for p in onnx.load(EMBEDDED).metadata_props}
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, tmp_path / "small.onnx")
    report = detector.check_int8(EMBEDDED, tmp_path / "small.onnx", pictures)
    assert report == "int8 finds 4 of the 4 faces that fp32 finds on 2 photos."
    # Those of 1×1 stay.
    makers = {name: node.op_type for node in model.graph.node for name in node.output}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    plain = [c for c in convolutions if makers.get(c.input[1]) != "DequantizeLinear"]
    assert (len(convolutions), len(plain)) == (19, 6)


@pytest.mark.slow
def test_a_quantised_detector_that_misses_faces_is_refused(network, pictures, tmp_path):
    import onnx

    from edge.networks.face_detector import EMBEDDED
    from export.errors import AccuracyError

    untrained = detector.to_onnx(network)
    metadata = {p.key: p.value for p in onnx.load(EMBEDDED).metadata_props}
    onnx.helper.set_model_props(untrained, metadata)
    onnx.save(untrained, tmp_path / "small.onnx")
    with pytest.raises(AccuracyError, match="finds 0 of the 4 faces"):
        detector.check_int8(EMBEDDED, tmp_path / "small.onnx", pictures)
