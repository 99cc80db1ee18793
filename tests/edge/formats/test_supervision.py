import sys
import types

import numpy as np
import pytest

from edge.errors import MissingExtra
from edge.face import Face
from edge.formats.supervision import to_supervision

STAND_IN = types.SimpleNamespace(
    KeyPoints=types.SimpleNamespace, Detections=types.SimpleNamespace, __name__="supervision"
)


@pytest.fixture(params=["supervision", "stand-in"])
def supervision(request, monkeypatch):
    """The package where it is installed, and what keeps the arguments given to it."""
    if request.param == "stand-in":
        monkeypatch.setitem(sys.modules, "supervision", STAND_IN)
        return STAND_IN
    return pytest.importorskip("supervision")


def make_face(x, track=None):
    points = np.arange(30, dtype=np.float32).reshape(15, 2) + x
    return Face(np.array([x, 2, 30, 40], np.float32), 0.9, points, np.ones(15), track)


def test_faces_are_keypoints_and_detections(supervision):
    keypoints, detections = to_supervision([make_face(1, 4), make_face(50, 7)])
    assert keypoints.xy.shape == (2, 15, 2)
    assert keypoints.xy[1, 0].tolist() == [50, 51]
    assert detections.xyxy.tolist() == [[1, 2, 31, 42], [50, 2, 80, 42]]
    assert detections.confidence.tolist() == pytest.approx([0.9, 0.9])
    assert detections.class_id.tolist() == keypoints.class_id.tolist() == [0, 0]
    assert detections.tracker_id.tolist() == [4, 7]
    assert detections.data["class_name"].tolist() == ["face", "face"]


def test_a_still_has_no_track_numbers_and_no_faces_are_none(supervision):
    assert to_supervision([make_face(1)])[1].tracker_id is None
    keypoints, detections = to_supervision([])
    assert keypoints.xy.shape == (0, 15, 2)
    assert detections.xyxy.shape == (0, 4)


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(MissingExtra, match=r"edge-keypoints\[supervision\]"):
        to_supervision([])
