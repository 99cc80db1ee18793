import numpy as np
import pytest

pytest.importorskip("cv2")

import train.detector.false_positives
from edge.networks.detections import Detections
from tests.made_photos import boxed
from train.detector.false_positives import FalsePositives, find_false_positives


class Detector:
    """Detects as many boxes as the photo's grey value, the first at the detection size."""

    def __init__(self, path, threads):
        pass

    def __call__(self, grey, size):
        boxes = boxed(*[(size, i, 5, 5) for i in range(grey[0, 0])])
        return Detections(boxes, np.ones(len(boxes), np.float32))


def test_at_most_four_false_positives_of_a_photo_are_kept_at_each_size(monkeypatch):
    monkeypatch.setattr(train.detector.false_positives, "FaceDetector", Detector)
    photos = [np.full((20, 20), value, np.uint8) for value in (0, 6, 1)]
    found = find_false_positives("face.onnx", photos)
    assert found.photos.tolist() == [1] * 8 + [2] * 2
    assert found.boxes[:, 0].tolist() == [320] * 4 + [640] * 4 + [320, 640]
    assert found.boxes[:4, 1].tolist() == [0, 1, 2, 3]
    assert len(found) == 10
    assert len(FalsePositives()) == 0
