import pickle

import numpy as np
import pytest

from edge import FaceKeypoints
from edge.errors import ModelError
from edge.geometry.boxes import intersection_over_union
from edge.networks.face_detector import EMBEDDED as FACE
from edge.networks.keypoint_model import EMBEDDED as KEYPOINTS
from edge.networks.precision import int8_file, is_int8, open_face_detector


def test_the_int8_file_lies_beside_the_other():
    assert int8_file(FACE).name == "face.int8.onnx"
    assert is_int8(int8_file(FACE))
    assert not is_int8(FACE)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_both_networks_are_of_the_precision_asked_for(precision, sample):
    detect = FaceKeypoints(precision=precision)
    assert [is_int8(network.path) for network in (detect.face_detector, detect.model)] == [
        precision == "int8"
    ] * 2
    again = pickle.loads(pickle.dumps(detect))
    assert (again.face_detector.path, again.model.path) == (
        detect.face_detector.path,
        detect.model.path,
    )


def test_both_precisions_find_the_same_face(sample):
    (one,), (other,) = (FaceKeypoints(precision=p)(sample) for p in ("fp32", "int8"))
    assert intersection_over_union(one.box[None], other.box[None])[0, 0] > 0.85
    assert np.abs(one.keypoints - other.keypoints).max() < 1.5
    assert abs(one.score - other.score) < 0.05


def test_a_detector_without_an_int8_file_is_taken_as_it_is(tmp_path):
    path = tmp_path / "mine.onnx"
    path.write_bytes(FACE.read_bytes())
    assert FaceKeypoints(detector=path, precision="int8").face_detector.path == path
    assert FaceKeypoints(detector=path).face_detector.path == path


def test_two_files_of_different_networks_are_refused(tmp_path):
    path = tmp_path / "mine.onnx"
    path.write_bytes(FACE.read_bytes())
    int8_file(path).write_bytes(int8_file(KEYPOINTS).read_bytes())
    with pytest.raises(ModelError, match="not a detector"):
        open_face_detector(path, "int8")


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="precision must be one of auto, fp32, int8"):
        open_face_detector(None, "fp16")
