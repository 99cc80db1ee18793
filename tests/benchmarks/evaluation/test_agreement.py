import json

import pytest

from benchmarks.evaluation.agreement import Agreement, compare, match, read_records

NAMES = ("nose_tip", "mouth_left_corner")


def face(x, y, *points, error=2.0):
    keypoints = {
        name: {"x": px, "y": py, "error": error}
        for name, (px, py) in zip(NAMES, points, strict=True)
    }
    return {"box": [x, y, 10.0, 12.0], "keypoints": keypoints}


def line(name, *faces):
    return json.dumps({"image": name, "faces": list(faces)}) + "\n"


ONE = face(0, 0, (5, 5), (4, 8))


def test_differences_are_those_of_the_farthest_keypoint_and_of_unmatched_faces():
    other = face(0.5, 0, (5, 5.5), (4.3, 8.4), error=1.0)
    ours = line("a.jpg", ONE) + line("b.jpg")
    theirs = line("a.jpg", face(40, 0, (45, 5), (44, 8)), other) + line("b.jpg")
    assert compare(ours, theirs) == Agreement(
        pictures=2, faces=1, only_one=1, largest_px=0.5, rms_px=0.5, largest_of_error=0.25
    )
    assert compare(theirs, ours).largest_of_error == 0.5


def test_a_run_agrees_with_itself_and_on_images_without_faces():
    text = line("a.jpg", ONE)
    assert compare(text, text) == Agreement(1, 1, 0, 0.0, 0.0, 0.0)
    assert compare(line("a.jpg"), line("a.jpg")) == Agreement(1, 0, 0, 0.0, 0.0, 0.0)
    assert compare(text, line("a.jpg")).only_one == 1


def test_faces_are_matched_by_position_not_by_order():
    far = face(100, 50, (105, 55), (104, 58))
    pairs, unmatched = match([ONE, far], [far, ONE])
    assert pairs == [(ONE, ONE), (far, far)]
    assert unmatched == 0


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (line("b.jpg", ONE), "different images: 1 and 1, 0 of them in both"),
        ("a photo.jpg\n", "line 1: expected an image's JSON object, received 'a photo.jpg'"),
        ("[1]\n", "line 1: expected"),
        ('{"image": "a.jpg"}\n', "line 1: expected"),
    ],
)
def test_runs_that_cannot_be_compared_are_an_error(other, message):
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        compare(line("a.jpg", ONE), other)


def test_records_are_read_by_image():
    assert list(read_records(line("a.jpg") + line("b.jpg", ONE))) == ["a.jpg", "b.jpg"]
