"""Fixtures that tests of several packages share: open models, a video, and a camera."""

import time

import numpy as np
import pytest

import edge
from edge.image import load_image


@pytest.fixture(scope="session")
def detect():
    """The embedded models, in the precision whose results are the same on every computer."""
    return edge.FaceKeypoints(precision="fp32")


@pytest.fixture(scope="session")
def model68(tmp_path_factory):
    """The file of a keypoint network whose 68 points are `tests.made_models.REPEATED`."""
    pytest.importorskip("onnx")
    from tests.made_models import write_keypoint_model

    return write_keypoint_model(tmp_path_factory.mktemp("model68") / "keypoints.onnx")


@pytest.fixture(scope="session")
def detect68(model68):
    """That network, opened with its 68 points asked for, and the embedded detector."""
    return edge.FaceKeypoints(model=model68, precision="fp32", points68=True)


@pytest.fixture
def film(tmp_path, sample):
    """A video of 20 frames, 50 per second: the sample, brighter by one grey level per frame."""
    pytest.importorskip("av")
    from edge.video.writer import VideoWriter

    writer = VideoWriter(tmp_path / "film.avi", 50.0)
    for number in range(20):
        writer.write(np.clip(load_image(sample).astype(int) + number, 0, 255).astype(np.uint8))
    writer.close()
    return tmp_path / "film.avi"


class FakeCapture:
    """An open camera, with the part of `cv2.VideoCapture` that `edge.video.capture` uses.

    Attributes:
        released: whether it was released.
    """

    def __init__(self, frames, interval_s=0.0):
        """Give uint8 `(H, W, 3)` BGR `frames`, one per interval."""
        self.released = False
        self._frames = iter(frames)
        self._interval_s = interval_s

    def read(self):
        time.sleep(self._interval_s)
        frame = next(self._frames, None)
        return frame is not None, frame

    def release(self):
        self.released = True


@pytest.fixture
def fake_camera(monkeypatch):
    """A function that replaces every camera of this computer by a `FakeCapture`, and returns it.

    `fake_camera(frames)` gives these frames and ends; `fake_camera(None)` is a computer without a
    camera. No other place in the tests replaces OpenCV's capture.
    """
    pytest.importorskip("cv2")
    from edge.video import capture

    def replace(frames, interval_s=0.0):
        camera = None if frames is None else FakeCapture(frames, interval_s)

        monkeypatch.setattr(capture, "_open", lambda cv2, number: camera)
        return camera

    return replace
