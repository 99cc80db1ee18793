import numpy as np
import pytest

pytest.importorskip("cv2")

from train.keypoints.leakage_probe import measure_pull


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, size=(6, 96, 96)).astype(np.uint8)


def test_a_network_that_sees_no_repairs_is_not_drawn(images):
    assert measure_pull(lambda some: np.full((len(some), 15, 2), 48.0), images) == 0


def test_a_network_that_looks_for_repairs_is_drawn_all_the_way(images):
    def predict(some):
        changed = np.abs(some.astype(float) - images)  # what was smoothed, for one point a face
        if not changed.any():
            return np.full((len(some), 1, 2), 48.0)
        y, x = np.mgrid[:96, :96]
        weight = changed.sum(axis=(1, 2))
        where = [(changed * axis).sum(axis=(1, 2)) / weight for axis in (x, y)]
        return np.stack(where, axis=-1)[:, None]

    assert measure_pull(predict, images) == pytest.approx(1.0, abs=0.25)
