import json

import numpy as np
import pytest

from benchmarks.latency import roofline

onnx = pytest.importorskip("onnx")


def test_the_matrix_rate_is_that_of_the_fastest_product(monkeypatch):
    times = {"product": np.array([2.0, 1.0, 4.0])}
    monkeypatch.setattr(roofline, "time_interleaved", lambda calls, length: times)
    assert roofline.matrix_rate() == pytest.approx(2 * 512**3 / 1e6)


def test_the_product_is_that_of_both_matrices():
    session = roofline._open(roofline._product_model())
    a, b = np.eye(512, dtype=np.float32) * 2, np.full((512, 512), 3, np.float32)
    (product,) = session.run(["c"], {"a": a, "b": b})
    np.testing.assert_array_equal(product, np.full((512, 512), 6, np.float32))


def test_operators_have_the_median_of_warm_runs_and_their_multiply_adds(monkeypatch, tmp_path):
    def event(name, operator, duration):
        return {"cat": "Node", "name": name, "args": {"op_name": operator}, "dur": duration}

    conv = [event("fused c_kernel_time", "Conv", us) for us in (90, *[5] * 5, *[7] * 6)]
    events = [*conv, event("p_kernel_time", "Pool", 3), {"cat": "Session", "name": "run"}]
    monkeypatch.setattr(roofline, "count_multiply_adds_per_layer", lambda path: {"c": 1000})
    monkeypatch.setattr(roofline, "_profile", lambda path, feed: json.loads(json.dumps(events)))
    assert roofline.profile_layers(tmp_path, {}) == [
        {"name": "fused c", "operator": "Conv", "median_us": 7.0, "multiply_adds": 1000},
        {"name": "p", "operator": "Pool", "median_us": 3.0, "multiply_adds": 0},
    ]


@pytest.mark.parametrize("name", ["c", "fused c", "c_nchwc", "c_token_12", "c/MatMulAddFusion"])
def test_names_that_onnxruntime_changes_are_recognised(name):
    assert roofline._of_operator({"c": 7}, name) == 7
    assert roofline._of_operator({"other": 7}, name) == 0
