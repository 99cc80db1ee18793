"""What tests of several modules share: open models, and a film."""

import numpy as np
import pytest

import edge
from edge.image import load_image


@pytest.fixture(scope="session")
def detect():
    """The embedded models, in the precision whose numbers are the same on every computer."""
    return edge.FaceKeypoints(precision="fp32")


@pytest.fixture
def film(tmp_path, sample):
    """The sample, ever brighter, at 50 frames a second."""
    pytest.importorskip("cv2")
    from edge.video.capture import VideoWriter

    writer = VideoWriter(tmp_path / "film.avi", 50.0)
    for number in range(20):
        writer.write(np.clip(load_image(sample).astype(int) + number, 0, 255).astype(np.uint8))
    writer.close()
    return tmp_path / "film.avi"
