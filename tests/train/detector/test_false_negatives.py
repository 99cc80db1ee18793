import numpy as np
import pytest

pytest.importorskip("cv2")

import train.detector.false_negatives
from edge.networks.detections import Detections
from tests.made_photos import boxed, grey_photo
from train.detector.false_negatives import FalseNegatives, find_false_negatives

BOX = (40.0, 60.0, 40.0, 50.0)


class Detector:
    """Detects one box with a score of 0.9 and another with 0.3."""

    def __init__(self, path, threads):
        pass

    def __call__(self, grey, size):
        scores = np.array([0.9, 0.3], np.float32)
        return Detections(boxed(BOX, (100, 60, 40, 50)), scores)

    @staticmethod
    def letterbox(grey, size):
        return None, tuple(np.array(grey.shape) * 2)


def test_faces_detected_with_a_low_score_or_not_at_all_are_false_negatives(monkeypatch):
    monkeypatch.setattr(train.detector.false_negatives, "FaceDetector", Detector)
    weak, undetected, tiny = (100, 60, 40, 50), (10, 120, 20, 20), (150, 5, 4, 4)
    photos = [
        grey_photo("automatic", [undetected]),
        grey_photo("hand", [BOX, weak, undetected, tiny]),
    ]
    missed = find_false_negatives("face.onnx", photos, ("hand",))
    assert missed.photos.tolist() == [1] * 4  # at both sizes
    assert sorted(missed.faces.tolist()) == [1, 1, 2, 2]
    assert len(missed) == 4
    assert len(FalseNegatives()) == 0
