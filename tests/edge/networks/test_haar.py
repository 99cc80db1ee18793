import sys
import types

import numpy as np
import pytest

from edge.errors import MissingExtra
from edge.geometry.face_frame import box_of
from edge.image import load_image, to_grey
from edge.networks.haar import find_boxes, open_cascade

FACE = np.array([176, 66, 98, 98])  # marked by hand on the sample picture: x, y, width, height, px


def overlap(first, second):
    """Intersection over union of two boxes (x, y, width, height)."""
    low = np.maximum(first[:2], second[:2])
    high = np.minimum(first[:2] + first[2:], second[:2] + second[2:])
    inner = np.prod(np.maximum(high - low, 0))
    return inner / (np.prod(first[2:]) + np.prod(second[2:]) - inner)


def test_without_opencv_the_extra_is_named(monkeypatch):
    open_cascade.cache_clear()
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtra, match=r"edge-keypoints\[video\]"):
        find_boxes(np.zeros((50, 50), np.uint8))


class TestWithOpenCV:
    @pytest.fixture(autouse=True)
    def _opencv(self):
        pytest.importorskip("cv2")

    def test_the_face_of_the_sample_is_found(self, sample):
        boxes = find_boxes(to_grey(load_image(sample)))
        assert max(overlap(box, box_of(FACE)) for box in boxes) > 0.8

    def test_a_face_in_a_larger_picture_is_found_at_its_place(self, sample):
        grey = to_grey(load_image(sample))
        wide = np.zeros((1500, 2400), np.uint8)
        wide[300:1324, 1100:2124] = grey.repeat(2, axis=0).repeat(2, axis=1)
        boxes = find_boxes(wide, detect_size=640)
        expected = FACE * 2 + [1100, 300, 0, 0]
        assert max(overlap(box, box_of(expected)) for box in boxes) > 0.75

    @pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (30, 30), (500, 500)])
    def test_nothing_is_found_in_nothing(self, shape):
        assert find_boxes(np.full(shape, 128, np.uint8)).shape == (0, 4)

    def test_opencvs_own_thread_setting_is_put_back(self):
        import cv2

        before = cv2.getNumThreads()
        find_boxes(np.zeros((100, 100), np.uint8), threads=1)
        assert cv2.getNumThreads() == before

    def test_two_threads_find_what_one_finds(self, sample):
        from concurrent.futures import ThreadPoolExecutor

        grey = to_grey(load_image(sample))
        pictures = [grey, grey[:, ::-1].copy(), grey[40:300].copy()] * 4
        alone = [find_boxes(picture) for picture in pictures]
        with ThreadPoolExecutor(2) as pool:
            together = list(pool.map(find_boxes, pictures))
        for one, other in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("lacking", ["data", "CascadeClassifier"])
def test_an_opencv_without_cascades_is_a_missing_extra(monkeypatch, lacking):
    stub = types.ModuleType("cv2")
    stub.CascadeClassifier = None
    stub.data = types.SimpleNamespace(haarcascades="/nowhere/")
    delattr(stub, lacking)
    open_cascade.cache_clear()
    monkeypatch.setitem(sys.modules, "cv2", stub)
    with pytest.raises(MissingExtra, match=lacking):
        find_boxes(np.zeros((50, 50), np.uint8))
