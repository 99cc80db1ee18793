import numpy as np
import pytest

from benchmarks.datasets.annotated_boxes import AnnotatedPhoto
from benchmarks.datasets.photos import Photo
from benchmarks.evaluation.detection_metrics import is_found, match, measure_precision, on_canvas
from edge.geometry.boxes import intersection_over_union
from edge.geometry.face_frame import MEAN_FACE, box_of_square
from edge.networks.detections import Detections


def boxed(*boxes):
    return np.array(boxes, np.float32).reshape(-1, 4)


def face_detector(*boxes):
    return lambda grey: Detections(boxed(*boxes), np.linspace(1, 0.5, len(boxes), dtype=np.float32))


def test_one_of_two_boxes_on_a_face_is_matched():
    faces = boxed((0, 0, 20, 20), (50, 50, 30, 30))
    assert match(faces, boxed((1, 0, 20, 20), (0, 1, 20, 20), (80, 0, 9, 9))) == [(0, 0)]
    assert match(boxed(), faces) == []
    assert intersection_over_union(faces, faces)[0].tolist() == [1, 0]


def test_recall_and_precision_ignore_tiny_faces():
    grey = np.zeros((100, 100), np.uint8)
    photos = [AnnotatedPhoto(grey, boxed((0, 0, 20, 20), (50, 50, 30, 30), (90, 0, 8, 8)))]
    found = measure_precision(face_detector((0, 0, 20, 20), (90, 0, 8, 8), (0, 60, 20, 20)), photos)
    assert found == {"faces": 2, "found": 0.5, "precision": pytest.approx(2 / 3, abs=1e-4)}
    nothing = measure_precision(face_detector(), photos)
    assert (nothing["found"], nothing["precision"]) == (0, 0)


def test_a_face_is_found_by_a_box_that_overlaps_it():
    photo = Photo(np.zeros((200, 200), np.uint8), MEAN_FACE.astype(np.float32) + 40)
    box = box_of_square(photo.square)
    assert is_found(face_detector(tuple(box)), photo)
    assert not is_found(face_detector((box[0] + 60, *box[1:])), photo)
    assert not is_found(face_detector(), photo)


def test_a_shrunk_face_is_centred_on_a_larger_canvas():
    photo = Photo(np.full((200, 200), 90, np.uint8), MEAN_FACE.astype(np.float32) + 40)
    small = on_canvas(photo, 20)
    assert small.grey.shape == (240, 320)
    box = box_of_square(small.square)
    assert box[2] == pytest.approx(20, abs=0.1)
    assert (box[:2] > 0).all()
    assert (box[:2] + box[2:] < [320, 240]).all()
