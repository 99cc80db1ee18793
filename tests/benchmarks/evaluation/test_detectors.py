import numpy as np
import pytest

pytest.importorskip("cv2")

from benchmarks.datasets.sample import SAMPLE
from benchmarks.evaluation.detectors import CASCADES, _resize_to, open_edge, open_haar
from edge.facekeypoints import FaceKeypoints
from edge.geometry.boxes import intersection_over_union
from edge.image import load_grey
from edge.networks.face_detector import EMBEDDED


@pytest.fixture(scope="module")
def grey():
    return load_grey(SAMPLE)


def test_this_packages_boxes_are_those_of_its_faces(grey):
    detections = open_edge(320, EMBEDDED)(grey)
    (face,) = FaceKeypoints(precision="fp32", detector=EMBEDDED)(grey)
    np.testing.assert_array_equal(detections.boxes, [face.box])
    np.testing.assert_array_equal(detections.scores, np.float32([face.score]))


@pytest.mark.parametrize("name", list(CASCADES))
def test_a_cascades_boxes_follow_our_convention(name, grey):
    ours = open_edge(320, EMBEDDED)(grey).boxes
    found = open_haar(name, 320)(grey)
    assert len(found.boxes) == len(found.scores)
    assert intersection_over_union(ours, found.boxes).max() > 0.5


def test_images_are_resized_to_the_working_size_and_enlarged_at_most_twice():
    for shape, expected in (((400, 800), (160, 320)), ((50, 100), (100, 200))):
        small, factor = _resize_to(np.zeros(shape, np.uint8), 320)
        assert small.shape == expected
        assert factor == shape[0] / expected[0]
