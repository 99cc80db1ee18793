import sys

import numpy as np
import pytest

from benchmarks.engines import worker
from edge.networks.keypoint_model import EMBEDDED


def test_both_answer_all_images_and_the_times_are_of_the_rounds_after(tmp_path, monkeypatch):
    network = {"file": str(EMBEDDED), "input": "face", "outputs": ["keypoints", "face_score"]}
    images = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 1)).astype(np.uint8)
    np.save(tmp_path / "images.npy", images)

    def open_shifted(network, folder):
        predict = worker.open_onnxruntime(network, folder)
        return lambda image: {name: value + 1 for name, value in predict(image).items()}

    monkeypatch.setitem(worker.ENGINES, "shifted", open_shifted)
    job = {
        "engine": "shifted", "network": network, "inputs": str(tmp_path / "images.npy"),
        "output": str(tmp_path / "answers.npz"), "folder": str(tmp_path), "rounds": 2,
    }  # fmt: skip
    times = worker.measure(job)
    assert {name: len(values) for name, values in times.items()} == {"ms": 6, "onnxruntime_ms": 6}
    with np.load(tmp_path / "answers.npz") as answers:
        assert len(answers) == 2 * 3 * 2
        ours, theirs = answers["onnxruntime_2_keypoints"], answers["engine_2_keypoints"]
    assert ours.shape == (1, 15, 2)
    np.testing.assert_allclose(theirs - ours, 1, atol=1e-5)


def test_the_last_line_of_a_failed_converter_is_the_message(tmp_path):
    program = "import sys; print('reading'); sys.exit('no such layer')"
    with pytest.raises(ValueError, match=r"the converter ended with 1: no such layer"):
        worker._convert([sys.executable, "-c", program], tmp_path)
