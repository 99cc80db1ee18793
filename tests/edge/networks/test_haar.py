import sys
import types

import numpy as np
import pytest

from edge.errors import MissingExtra
from edge.geometry.face_frame import box_of_square
from edge.image import load_image, to_grey
from edge.networks.haar import HaarDetector, _open_cascade

FACE = np.array([176, 66, 98, 98])  # marked by hand on the sample picture: x, y, width, height, px


def overlap(first, second):
    """Intersection over union of two boxes (x, y, width, height)."""
    low = np.maximum(first[:2], second[:2])
    high = np.minimum(first[:2] + first[2:], second[:2] + second[2:])
    inner = np.prod(np.maximum(high - low, 0))
    return inner / (np.prod(first[2:]) + np.prod(second[2:]) - inner)


def test_without_opencv_the_extra_is_named(monkeypatch):
    _open_cascade.cache_clear()
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtra, match=r"edge-keypoints\[haar\]"):
        HaarDetector()


class TestWithOpenCV:
    @pytest.fixture(autouse=True)
    def _opencv(self):
        if not hasattr(pytest.importorskip("cv2"), "CascadeClassifier"):
            pytest.skip("OpenCV 5 has no cascades")

    def test_the_face_of_the_sample_is_found(self, sample):
        boxes = HaarDetector()(to_grey(load_image(sample))).boxes
        assert max(overlap(box, box_of_square(FACE)) for box in boxes) > 0.8

    def test_a_face_in_a_larger_picture_is_found_at_its_place(self, sample):
        grey = to_grey(load_image(sample))
        wide = np.zeros((1500, 2400), np.uint8)
        wide[300:1324, 1100:2124] = grey.repeat(2, axis=0).repeat(2, axis=1)
        boxes = HaarDetector()(wide, 640).boxes
        expected = FACE * 2 + [1100, 300, 0, 0]
        assert max(overlap(box, box_of_square(expected)) for box in boxes) > 0.75

    @pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (30, 30), (500, 500)])
    def test_nothing_is_found_in_nothing(self, shape):
        assert HaarDetector()(np.full(shape, 128, np.uint8)).boxes.shape == (0, 4)

    def test_opencvs_own_thread_setting_is_put_back(self):
        import cv2

        before = cv2.getNumThreads()
        HaarDetector(threads=1)(np.zeros((100, 100), np.uint8))
        assert cv2.getNumThreads() == before

    def test_two_threads_find_what_one_finds(self, sample):
        from concurrent.futures import ThreadPoolExecutor

        grey = to_grey(load_image(sample))
        detector = HaarDetector()
        pictures = [grey, grey[:, ::-1].copy(), grey[40:300].copy()] * 4
        alone = [detector(picture) for picture in pictures]
        with ThreadPoolExecutor(2) as pool:
            together = list(pool.map(detector, pictures))
        for one, other in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one.boxes, other.boxes)


@pytest.mark.parametrize("lacking", ["data", "CascadeClassifier"])
def test_an_opencv_without_cascades_is_a_missing_extra(monkeypatch, lacking):
    stub = types.ModuleType("cv2")
    stub.CascadeClassifier = None
    stub.data = types.SimpleNamespace(haarcascades="/nowhere/")
    delattr(stub, lacking)
    _open_cascade.cache_clear()
    monkeypatch.setitem(sys.modules, "cv2", stub)
    with pytest.raises(MissingExtra, match=lacking):
        HaarDetector()
