import numpy as np
import pytest

from edge import Face
from edge.fusion import fused_score
from edge.geometry.affine import transform
from edge.geometry.face_frame import MEAN_FACE, box_of_keypoints
from edge.networks.detections import Detections
from edge.rotated_faces import MIN_SCORE, SURE_SCORE, confirmed

GREY = np.zeros((300, 300), np.uint8)
GREY[140:160, 150:] = 255  # from the face's centre to its right as seen: below a rotated face
# The mean face of 96 px about the centre of the image, rotated by −90°: its chin is on the right.
ROTATED = transform(np.array([[0.0, 1.0, 102.0], [-1.0, 0.0, 197.0]]), MEAN_FACE).astype(np.float32)


class Upright:
    """A detector that finds a face of a score in the middle, if the bright half is below it."""

    def __init__(self, score, box=(52.0, 50.0, 87.0, 100.0)):
        self.score, self.box = score, box
        self.shapes = []

    def __call__(self, grey, detect_size):
        self.shapes.append(grey.shape)
        is_upright = grey[100:, 90:100].mean() > 100 + grey[:90, 90:100].mean()
        count = int(is_upright)
        boxes = np.array([self.box] * count, np.float32).reshape(-1, 4)
        return Detections(boxes, np.full(count, self.score, np.float32))


def face(score, keypoints=ROTATED):
    return Face(box_of_keypoints(keypoints), score, keypoints, np.ones(15, np.float32))


def confirm(detector, score, network=0.9, upright=(), min_score=0.5, keypoints=ROTATED):
    """The scores of the faces that are accepted of one with these scores of both networks."""
    found = face(fused_score(score, network), keypoints)
    detections = Detections(found.box[None], np.array([score], np.float32))
    accepted = confirmed(detector, GREY, [found], detections, list(upright), min_score)
    return [accepted_face.score for accepted_face in accepted]


def test_an_unsure_face_is_accepted_by_its_score_in_an_upright_window():
    detector = Upright(0.95)
    middle = (192 - 64) / 2
    box = box_of_keypoints(MEAN_FACE * (64 / 96) + middle)
    detector.box = tuple(box.tolist())
    assert fused_score(0.6, 0.9) < SURE_SCORE
    assert confirm(detector, 0.6) == [SURE_SCORE]
    assert detector.shapes == [(192, 192)]


@pytest.mark.parametrize("score", [0.2, 0.6, 0.75])
def test_an_unsure_face_that_is_none_in_an_upright_window_is_dropped(score):
    assert confirm(Upright(score), 0.6) == []
    mirrored = ROTATED[:, ::-1].copy()  # of which the detector finds nothing
    assert confirm(Upright(0.95), 0.6, keypoints=mirrored) == []


def test_another_face_nearby_does_not_count():
    assert confirm(Upright(0.95, box=(0.0, 0.0, 40.0, 50.0)), 0.6) == []


def test_a_sure_detection_is_not_repeated():
    detector = Upright(0.1)
    assert confirm(detector, 0.9) == [pytest.approx(fused_score(0.9, 0.9))]
    assert detector.shapes == []


def test_a_detection_of_low_score_is_not_repeated():
    detector = Upright(0.95)
    assert confirm(detector, 0.3, network=0.5) == []
    assert fused_score(0.3, 0.5) < MIN_SCORE
    assert detector.shapes == []


def test_it_must_be_surer_than_the_upright_faces_and_than_was_asked_for():
    detector = Upright(0.9, box=tuple(box_of_keypoints(MEAN_FACE * (64 / 96) + 64).tolist()))
    assert confirm(detector, 0.6, upright=[face(0.5)]) == [SURE_SCORE]
    assert confirm(detector, 0.6, upright=[face(0.7)]) == []
    assert confirm(detector, 0.6, min_score=0.76) == []
