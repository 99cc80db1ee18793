import numpy as np
import pytest

from edge.errors import ModelError
from edge.networks import keypoint_model
from edge.networks.eye_model import EMBEDDED, METADATA_KEYS, EyeModel


@pytest.fixture(scope="module")
def model():
    return EyeModel()


def test_the_embedded_file_keeps_the_contract(model):
    assert model.path == EMBEDDED
    assert all(model.metadata[key] for key in METADATA_KEYS)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 21])
def test_results_do_not_depend_on_the_batch(model, count, rng):
    patches = rng.integers(0, 256, (count, 32, 32)).astype(np.uint8)
    opening, error = model(patches)
    assert opening.shape == error.shape == (count,)
    assert opening.dtype == error.dtype == np.float32
    assert (error > 0).all()
    for i in range(count):
        one = model(patches[i : i + 1])
        np.testing.assert_allclose((one.opening[0], one.error[0]), (opening[i], error[i]), 1e-3)


def test_light_and_contrast_do_not_matter(model, rng):
    patch = rng.integers(60, 160, (1, 32, 32))
    plain, brighter = (model(p.astype(np.uint8)) for p in (patch, 2 * patch - 70))
    assert brighter.opening[0] == pytest.approx(plain.opening[0], abs=2e-3)


def test_another_network_is_refused():
    with pytest.raises(ModelError, match="tensor 'eye': expected"):
        EyeModel(keypoint_model.EMBEDDED)
