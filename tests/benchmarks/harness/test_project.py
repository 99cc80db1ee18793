from benchmarks.harness import project
from edge.networks.keypoint_model import EMBEDDED
from edge.networks.precision import int8_file


def test_the_smaller_model_is_measured_once_it_is_there(tmp_path, monkeypatch):
    small = tmp_path / "keypoints-small.onnx"
    monkeypatch.setattr(project, "EMBEDDED_SMALL", small)
    assert project.embedded_models() == [EMBEDDED, int8_file(EMBEDDED)]
    small.touch()
    int8_file(small).touch()
    assert project.embedded_models() == [EMBEDDED, int8_file(EMBEDDED), small, int8_file(small)]
