import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from benchmarks.datasets.photos import Photo
from benchmarks.evaluation.detection_by_roll import (
    candidates_per_photo,
    face_of,
    measure_rolls,
    measure_sets,
)
from edge.face import Face
from edge.geometry.affine import transform
from edge.geometry.face_frame import MEAN_FACE, box_of_keypoints
from edge.geometry.similarity import similarity
from edge.keypoints import KEYPOINT_NAMES
from edge.networks.detections import Detections

PHOTO = Photo(np.zeros((200, 200), np.uint8), MEAN_FACE.astype(np.float32) + 52)


class Product:
    """Finds PHOTO's face at the centre of every image, with one roll."""

    def __init__(self, roll):
        middle = MEAN_FACE.mean(axis=0)
        self.points = transform(similarity(1.0, roll, tuple(middle), (0.0, 0.0)), MEAN_FACE)

    def __call__(self, grey):
        # `rotate` puts the face near the centre of the canvas.
        points = (self.points + (grey.shape[0] - 1) / 2).astype(np.float32)
        return [Face(box_of_keypoints(points), 0.9, points, np.ones(15, np.float32))]

    def detect_faces(self, grey):
        return Detections(np.zeros((3, 4), np.float32))


def test_a_face_is_found_with_points_that_are_right_at_its_own_roll_alone():
    rolls = measure_rolls(Product(90.0), [PHOTO], (-90, 90))
    assert rolls["90"]["wrong_way_up"] == 0
    assert rolls["-90"] == {"found": 1.0, "within_10_percent": 0.0, "wrong_way_up": 1.0}
    assert rolls["90"]["within_10_percent"] == 1.0


def test_a_face_elsewhere_is_not_the_photos():
    (face,) = Product(0.0)(PHOTO.grey)
    assert face_of([face], PHOTO) is face
    assert face_of([replace(face, box=face.box + np.float32(90))], PHOTO) is None
    assert face_of([], PHOTO) is None


def test_candidates_are_counted():
    assert candidates_per_photo(Product(0.0), [PHOTO]) == 3


@pytest.mark.parametrize("nested", [False, True])
def test_sets_are_measured_upright_and_rotated(nested, tmp_path):
    teacher = dict(zip(KEYPOINT_NAMES, PHOTO.keypoints.tolist(), strict=True))
    labels = {"faces": [{"teacher": teacher}]} if nested else {"teacher": teacher}
    row = {"image": "a.png", "set": "some", **labels}
    (tmp_path / "annotations.jsonl").write_text(json.dumps(row))
    Image.fromarray(PHOTO.grey).save(tmp_path / "a.png")
    found = measure_sets(Product(0.0), tmp_path)
    assert found["some"] == found["all"]
    assert found["all"]["faces"] == 1
    assert found["all"]["upright"] == 1
