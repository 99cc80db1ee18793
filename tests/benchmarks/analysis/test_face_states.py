import numpy as np
import pytest

from benchmarks.analysis.face_states import measure_heads
from edge.geometry.head_shape import MEAN_HEAD


def test_mean_heads_are_where_they_are_said_to_be():
    results = measure_heads(np.repeat(MEAN_HEAD[None], 20, axis=0), np.random.default_rng(0))
    assert results["distance"]["difference"] < 0.02
    assert abs(results["distance"]["bias"]) < 0.01
    assert results["facing"]["area"] > 0.95
    assert results["facing"]["difference"] == pytest.approx(0, abs=0.05)
