import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("onnx")

import onnx

from edge.image import load_image, to_grey
from edge.networks.face_detector import EMBEDDED
from export import detector_graph
from export.calibration import detector_batches
from export.detector_comparison import SAMPLE, check_int8, check_parity
from export.errors import AccuracyError, ParityError
from export.quantize import quantize_detector
from train.detector.network import build


@pytest.fixture(scope="module")
def images():
    grey = to_grey(load_image(SAMPLE))
    return [grey, np.ascontiguousarray(grey[:, ::-1])]


@pytest.fixture(scope="module")
def untrained():
    return build(seed=3)


def save(model, path):
    """Write a model with the embedded detector's metadata."""
    metadata = {entry.key: entry.value for entry in onnx.load(EMBEDDED).metadata_props}
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, path)
    return path


def test_another_network_than_the_files_is_refused(untrained):
    with pytest.raises(ParityError, match="differs from the Keras model by"):
        check_parity(untrained, EMBEDDED)


def test_a_detector_that_finds_nothing_on_the_sample_is_refused(untrained, tmp_path):
    path = save(detector_graph.to_onnx(untrained), tmp_path / "face.onnx")
    with pytest.raises(ParityError, match="finds no face in the sample image"):
        check_parity(untrained, path)


@pytest.mark.slow
def test_a_quantised_detector_finds_the_same_faces(images, tmp_path):
    model = quantize_detector(EMBEDDED, detector_batches(images), tmp_path)
    report = check_int8(EMBEDDED, save(model, tmp_path / "int8.onnx"), images)
    assert report == "int8 finds 2 of the 2 faces that fp32 finds on 2 photos."


@pytest.mark.slow
def test_a_quantised_detector_that_misses_faces_is_refused(untrained, images, tmp_path):
    path = save(detector_graph.to_onnx(untrained), tmp_path / "int8.onnx")
    with pytest.raises(AccuracyError, match="finds 0 of the 2 faces"):
        check_int8(EMBEDDED, path, images)
