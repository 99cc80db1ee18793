import numpy as np
import pytest

import edge
from edge.image import load_image


@pytest.fixture(scope="session")
def smiling():
    """The sample, cut and small: a woman who smiles and looks at the camera."""
    from tests.conftest import SAMPLE

    return load_image(SAMPLE)[0:256, 100:356].copy()


@pytest.fixture(scope="session")
def smiling_face(smiling):
    [face] = edge.FaceKeypoints(precision="fp32", points68=True)(smiling)
    return face


@pytest.fixture(scope="session")
def nobody():
    return np.full((256, 256, 3), 128, np.uint8)
