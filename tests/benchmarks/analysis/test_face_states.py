import numpy as np
import pytest

from benchmarks.analysis.face_states import area_under_curve, measure_heads
from edge.geometry.head_shape import MEAN_HEAD


def test_the_area_counts_ordered_pairs():
    scores, positive = np.array([0.9, 0.4, 0.5, 0.1]), np.array([True, True, False, False])
    assert area_under_curve(scores, positive) == 0.75
    assert area_under_curve(np.zeros(4), positive) == 0.5


def test_mean_heads_are_where_they_are_said_to_be():
    results = measure_heads(np.repeat(MEAN_HEAD[None], 20, axis=0), np.random.default_rng(0))
    assert results["distance"]["difference"] < 0.02
    assert abs(results["distance"]["bias"]) < 0.01
    assert results["facing"]["area"] > 0.95
    assert results["facing"]["difference"] == pytest.approx(0, abs=0.05)
