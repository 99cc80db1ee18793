import numpy as np
import pytest

from edge.errors import ModelError
from edge.keypoints import KEYPOINT_NAMES
from edge.networks import eye_model
from edge.networks.visibility_model import EMBEDDED, METADATA_KEYS, SIDE, VisibilityModel


@pytest.fixture(scope="module")
def model():
    return VisibilityModel()


def test_the_embedded_file_keeps_the_contract(model):
    assert model.path == EMBEDDED
    assert all(model.metadata[key] for key in METADATA_KEYS)
    assert EMBEDDED.stat().st_size < 160_000


@pytest.mark.parametrize("count", [0, 1, 8, 19])
def test_results_do_not_depend_on_the_batch(model, count, rng):
    crops = rng.integers(0, 256, (count, SIDE, SIDE)).astype(np.uint8)
    visible = model(crops)
    assert visible.shape == (count, len(KEYPOINT_NAMES))
    assert visible.dtype == np.float32
    assert ((visible >= 0) & (visible <= 1)).all()
    for i in range(count):
        np.testing.assert_allclose(model(crops[i : i + 1])[0], visible[i], atol=1e-4)


def test_light_and_contrast_do_not_matter(model, rng):
    crop = rng.integers(60, 160, (1, SIDE, SIDE))
    plain, brighter = (model(c.astype(np.uint8)) for c in (crop, 2 * crop - 70))
    np.testing.assert_allclose(plain, brighter, atol=5e-3)


def test_another_network_is_refused():
    with pytest.raises(ModelError, match="not a visibility model: metadata keypoint_names"):
        VisibilityModel(eye_model.EMBEDDED)
