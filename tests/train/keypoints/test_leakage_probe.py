import numpy as np
import pytest

pytest.importorskip("cv2")

from train.keypoints.leakage_probe import measure_pull


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, size=(6, 96, 96)).astype(np.uint8)


def test_a_network_that_ignores_retouched_pixels_has_a_pull_of_0(images):
    assert measure_pull(lambda batch: np.full((len(batch), 15, 2), 48.0), images) == 0


def test_a_network_that_locates_retouched_pixels_has_a_pull_of_1(images):
    def predict(batch):
        changed = np.abs(
            batch.astype(float) - images
        )  # the smoothed pixels, of one keypoint per face
        if not changed.any():
            return np.full((len(batch), 1, 2), 48.0)
        y, x = np.mgrid[:96, :96]
        weight = changed.sum(axis=(1, 2))
        centroid = [(changed * axis).sum(axis=(1, 2)) / weight for axis in (x, y)]
        return np.stack(centroid, axis=-1)[:, None]

    assert measure_pull(predict, images) == pytest.approx(1.0, abs=0.25)
