import numpy as np
import pytest

pytest.importorskip("cv2")

from benchmarks.datasets.actors import make_actors
from benchmarks.datasets.sample import SAMPLE
from edge.facekeypoints import FaceKeypoints
from edge.image import load_image
from edge.keypoints import MIRROR_ORDER


def test_the_second_actor_is_the_mirror_image_of_the_first():
    first, second = make_actors()
    np.testing.assert_array_equal(first.photo, load_image(SAMPLE))
    (face,) = FaceKeypoints(precision="fp32", max_faces=1)(SAMPLE)
    assert np.linalg.norm(first.keypoints - face.keypoints, axis=1).mean() < 1.5
    mirrored = first.keypoints[list(MIRROR_ORDER)] * [-1, 1] + [first.photo.shape[1] - 1, 0]
    assert np.linalg.norm(second.keypoints - mirrored, axis=1).mean() < 3
    assert second.photo.mean() > first.photo.mean()
