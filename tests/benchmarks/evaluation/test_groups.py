import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from benchmarks.datasets.photos import Photo
from benchmarks.evaluation.groups import (
    FoundFace,
    LabelledFace,
    measure_cells,
    predict_faces,
    read_labelled_faces,
)
from edge.face import Face
from edge.geometry.face_frame import MEAN_FACE, box_of_keypoints
from edge.keypoints import KEYPOINT_NAMES

POINTS = MEAN_FACE.astype(np.float32) + 52
SPAN = float(np.linalg.norm(MEAN_FACE[3] - MEAN_FACE[5]))


def labelled(**groups):
    photo = Photo(np.zeros((200, 200), np.uint8), POINTS)
    return LabelledFace(photo, np.zeros((68, 2)), {"set": "made", **groups})


def found(moved=0.0, rotated=True):
    """A face whose keypoints but one are right."""
    points = POINTS.copy()
    points[10, 0] += moved
    return FoundFace(Face(box_of_keypoints(points), 0.9, points, np.ones(15)), rotated)


MISSED = FoundFace(None, False)


def test_groups_are_in_order_and_cells_are_crossed():
    ages = ("26-45", "0-2", "66+", "3-12")
    faces = [*(labelled(age=age, race="1", gender="0") for age in ages), labelled()]
    measured = measure_cells(faces, [found()] * 5, min_faces=1)
    assert list(measured["groups"]) == [
        "all", "set made", "age 0-2", "age 3-12", "age 26-45", "age 66+", "race 1", "gender 0",
    ]  # fmt: skip
    assert measured["groups"]["all"]["faces"] == 5
    assert set(measured["cells"]) == {f"age {age}, race 1, gender 0" for age in ages}


def test_the_worst_cell_has_enough_faces():
    old, young = (
        {"age": "66+", "race": "1", "gender": "0"},
        {"age": "0-2", "race": "1", "gender": "0"},
    )
    few = {"age": "3-12", "race": "1", "gender": "0"}
    faces = [labelled(**old)] * 4 + [labelled(**young)] * 4 + [labelled(**few)]
    # Moved to both sides, so that no mean offset is removed.
    results = [found(1), found(-1), found(1), MISSED, found(5), found(-5), found(5), found(-6)]
    measured = measure_cells(faces, [*results, MISSED], min_faces=4)
    worst = measured["worst"]
    assert worst["cells"] == 2
    assert (worst["found"], worst["found_cell"]) == (0.75, "age 66+, race 1, gender 0")
    assert worst["ratio_cell"] == "age 0-2, race 1, gender 0"
    assert measured["cells"]["age 3-12, race 1, gender 0"] == {
        "faces": 1, "found": 0.0, "found_90": 0.0,
    }  # fmt: skip
    total = measured["groups"]["all"]
    assert total["distance"] == pytest.approx(24 / 7 / 15 / SPAN, rel=0.05)
    assert worst["ratio"] == pytest.approx((21 / 4) / (24 / 7), rel=0.05)


def test_no_cell_or_no_face_is_an_error():
    with pytest.raises(ValueError, match="none of the 1 labelled faces is found"):
        measure_cells([labelled()], [MISSED], 1)
    with pytest.raises(ValueError, match="no group of age, race and gender has 20 faces"):
        measure_cells([labelled()], [found()], 20)


def test_photos_in_which_the_teacher_finds_no_face_are_skipped(tmp_path):
    teacher = dict(zip(KEYPOINT_NAMES, POINTS.tolist(), strict=True))
    rows = [
        {"image": "a.png", "set": "s", "age": "0-2", "race": 0, "gender": 1, "teacher": teacher,
         "teacher68": [[1, 2]] * 68},
        {"image": "a.png", "set": "s", "teacher": None},
    ]  # fmt: skip
    (tmp_path / "annotations.jsonl").write_text("\n".join(map(json.dumps, rows)))
    Image.new("L", (200, 200)).save(tmp_path / "a.png")
    (face,) = read_labelled_faces(tmp_path)
    assert face.groups == {"set": "s", "age": "0-2", "race": "0", "gender": "1"}
    assert face.cell == "age 0-2, race 0, gender 1"
    np.testing.assert_allclose(face.photo.keypoints, POINTS)


def test_faces_are_found_upright_and_rotated():
    def detect(grey):
        return [found().face] if grey.shape == (200, 200) else []

    (result,) = predict_faces(detect, [labelled()])
    assert result.face is not None
    assert not result.found_rotated


def test_a_part_of_a_face_is_not_the_face():
    side = labelled().photo.square[2]

    def part(distance):
        face = found().face
        return replace(face, keypoints=face.keypoints + np.float32([distance * side, 0]))

    for distance, is_found in ((0.09, True), (0.11, False)):
        (result,) = predict_faces(lambda grey, d=distance: [part(d)], [labelled()])
        assert (result.face is not None) == is_found
