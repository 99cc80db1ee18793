import numpy as np
import pytest

from edge.face import Face

ARRAYS = {
    "box": np.zeros(4, np.float32),
    "keypoints": np.zeros((15, 2), np.float32),
    "error": np.zeros(15, np.float32),
    "points68": np.zeros((68, 2), np.float32),
    "error90": np.zeros(15, np.float32),
}


def test_a_face_takes_arrays_of_the_shapes_that_it_promises():
    assert Face(score=0.5, **ARRAYS).box is ARRAYS["box"]
    assert Face(ARRAYS["box"], 0.5, ARRAYS["keypoints"], ARRAYS["error"]).points68 is None


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("box", (5,)), ("box", (1, 4)), ("box", ()), ("keypoints", (68, 2)),
        ("keypoints", (15, 3)), ("keypoints", (30,)), ("keypoints", (1, 15, 2)),
        ("error", (15, 1)), ("error", ()), ("points68", (15, 2)), ("points68", (136,)),
        ("error90", (68,)),
    ],
)  # fmt: skip
def test_arrays_of_another_shape_are_refused(name, shape):
    with pytest.raises(ValueError, match=f"{name} must have the shape"):
        Face(score=0.5, **{**ARRAYS, name: np.zeros(shape, np.float32)})


def test_what_must_be_there_may_not_be_missing():
    with pytest.raises(ValueError, match="keypoints must have the shape"):
        Face(score=0.5, **{**ARRAYS, "keypoints": None})


def test_a_face_as_a_dict_is_what_json_writes_of_it():
    arrays = {**ARRAYS, "box": np.array([1, 2, 3, 4.126], np.float32)}
    record = Face(score=0.51239, **arrays).to_dict()
    assert list(record) == ["box", "score", "keypoints", "points68"]
    assert record["box"] == [1, 2, 3, 4.13]
    assert record["score"] == 0.5124
    assert record["keypoints"]["nose_tip"] == {"x": 0, "y": 0, "error": 0, "error90": 0}
    assert Face(score=0.5, track_id=7, **arrays).to_dict()["id"] == 7
