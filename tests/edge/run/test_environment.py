import hashlib
import os
import platform

import numpy as np
import onnxruntime
import pytest

import edge
from edge.networks import face_detector, keypoint_model
from edge.run.environment import describe


def facts(detect, requested):
    lines = (line.partition(":") for line in describe(detect, requested).splitlines())
    return {name: value.strip() for name, _, value in lines}


def size_and_hash(path):
    data = path.read_bytes()
    return f"{len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}"


def test_software_hardware_and_models_are_described(detect):
    found = facts(detect, "fp32")
    assert found["edge"] == edge.__version__
    assert found["python"].startswith(f"{platform.python_version()} on ")
    assert found["numpy"] == np.__version__
    assert found["onnxruntime"] == onnxruntime.__version__
    assert found["cores"] == str(os.cpu_count())
    assert found["threads"] == "1"
    for module in (keypoint_model, face_detector):
        for path in (module.EMBEDDED, module.EMBEDDED.with_suffix(".int8.onnx")):
            assert found[path.name] == size_and_hash(path)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_the_precision_in_use_is_named_for_each_network(precision):
    found = facts(edge.FaceKeypoints(precision=precision), precision)
    expected = f"{precision} (requested: {precision})"
    assert (found["precision, keypoints"], found["precision, detector"]) == (expected, expected)


def test_the_ratio_by_which_the_precision_was_chosen_is_given(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGE_CACHE", str(tmp_path))
    ratios = iter([0.614, 0.95])
    monkeypatch.setattr("edge.networks.precision._time_ratio", lambda *_: next(ratios))
    found = facts(edge.FaceKeypoints(), "auto")
    assert found["precision, keypoints"] == "int8 (requested: auto)"
    assert found["int8, keypoints"] == "61% of the time of fp32 here"
    assert found["precision, detector"] == "fp32 (requested: auto)"
    assert found["int8, detector"] == "95% of the time of fp32 here"


def test_a_detector_without_a_file_is_not_listed():
    found = facts(edge.FaceKeypoints(detector="none", precision="fp32"), "fp32")
    assert "precision, detector" not in found
    assert face_detector.EMBEDDED.name not in found


def test_a_processor_without_known_features_says_so(detect, monkeypatch, tmp_path):
    monkeypatch.setattr("edge.networks.cpu._CPU_FILE", tmp_path / "none")
    assert facts(detect, "fp32")["int8 features"] == "none detected"
