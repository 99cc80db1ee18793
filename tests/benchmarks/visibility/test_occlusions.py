import numpy as np
import pytest

from benchmarks.datasets.photos import Photo
from benchmarks.visibility.occlusions import KINDS, Material, Setting
from edge.geometry.face_frame import MEAN_FACE, fit_mean_face
from edge.keypoints import KEYPOINT_NAMES


@pytest.fixture
def setting(rng):
    grey = rng.integers(80, 200, (300, 260)).astype(np.uint8)
    photo = Photo(grey, (MEAN_FACE + 80).astype(np.float32))
    return Setting(photo, fit_mean_face(photo.keypoints), Material([grey, grey.T], [photo]), rng)


def hidden(setting, opacity):
    x, y = np.rint(setting.photo.keypoints).astype(int).T
    return opacity[y, x] > 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_coverings_are_images_that_hide_something(kind, setting):
    shares = []
    for _ in range(20):
        opacity, grey = KINDS[kind][0](setting)
        assert opacity.shape == grey.shape == (300, 260)
        assert 0 <= opacity.min() <= opacity.max() <= 1
        assert 0 <= grey.min() <= grey.max() <= 255
        shares.append(hidden(setting, opacity).mean())
    assert 0.03 < np.mean(shares) < 0.8


def test_a_mask_hides_the_mouth_alone(setting):
    mouth = [k for k, name in enumerate(KEYPOINT_NAMES) if name.startswith("mouth")]
    for _ in range(10):
        covered = hidden(setting, KINDS["mask"][0](setting)[0])
        assert covered[mouth].all()
        assert not covered[:10].any()
