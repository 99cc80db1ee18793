import numpy as np
import pytest

import edge
from examples.door_camera import visits
from tests.examples.filming import film
from tests.made_shots import dark


def test_the_best_picture_of_who_stays_is_kept(smiling, smiling_face, nobody):
    dim = dark(smiling, smiling_face)
    parts = [(nobody, 1), (dim, 2), (smiling, 0.4), (dim, 2), (nobody, 6)]
    [visit] = visits(film(parts, rate=5))
    assert visit.start == pytest.approx(1.0, abs=0.2)
    assert visit.end == pytest.approx(5.2, abs=0.3)
    expected = edge.align(smiling, smiling_face, size=224)
    assert np.abs(visit.picture.astype(int) - expected).mean() < 8


def test_who_returns_within_five_seconds_has_stayed(smiling, nobody):
    parts = [(smiling, 2), (nobody, 3), (smiling, 2), (nobody, 6), (smiling, 1)]
    first, second = visits(film(parts, rate=5))
    assert (first.start, first.end) == (0, pytest.approx(6.8, abs=0.3))
    assert second.start == pytest.approx(13, abs=0.3)
