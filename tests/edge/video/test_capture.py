import threading
import time

import numpy as np
import pytest

pytest.importorskip("cv2")

from edge.errors import MissingExtra, SourceError
from edge.video.capture import Camera


def test_without_opencv_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    with pytest.raises(MissingExtra, match=r"edge-keypoints\[video\]"):
        Camera(0)


def black_frames(count):
    return (np.zeros((4, 4, 3), np.uint8) for _ in range(count))


def test_a_camera_drops_frames_rather_than_lag_behind(fake_camera):
    capture = fake_camera(black_frames(40), interval_s=0.005)
    camera, numbers = Camera(0), []
    for frame in camera.frames():
        time.sleep(0.02)
        numbers.append(frame.number)
    assert numbers == list(range(len(numbers)))
    assert 5 <= len(numbers) < 30
    assert camera.dropped >= 40 - len(numbers) - 2
    assert capture.released


def test_a_camera_whose_frames_are_no_longer_read_is_released(fake_camera):
    capture = fake_camera(black_frames(10**9), interval_s=0.005)
    frames = Camera(0).frames()
    next(frames)
    frames.close()
    assert capture.released
    assert threading.active_count() < 10


def test_a_missing_camera_and_one_without_frames_are_errors(fake_camera):
    fake_camera(None)
    with pytest.raises(SourceError, match="camera:3: there is no such camera"):
        Camera(3)
    fake_camera([])
    with pytest.raises(SourceError, match="gives no image"):
        next(Camera(3).frames())


def test_a_camera_that_fails_while_it_is_read_is_an_error(fake_camera, monkeypatch):
    def unplugged():
        raise RuntimeError("unplugged")
        yield

    fake_camera(unplugged())
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    with pytest.raises(SourceError, match="gives no image"):
        next(Camera(0).frames())


def test_cameras_opened_in_threads_leave_opencvs_messages_as_they_were(monkeypatch):
    import cv2

    class Slow:
        def __init__(self, number):
            time.sleep(0.02 * (1 + number % 3))

        def isOpened(self):
            return False

        def release(self):
            pass

    def open_camera(number):
        with pytest.raises(SourceError, match=f"camera:{number}: there is no such camera"):
            Camera(number)

    monkeypatch.setattr(cv2, "VideoCapture", Slow)
    before = cv2.utils.logging.getLogLevel()
    assert before != cv2.utils.logging.LOG_LEVEL_SILENT
    threads = [threading.Thread(target=open_camera, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
        time.sleep(0.01)
    for thread in threads:
        thread.join()
    assert cv2.utils.logging.getLogLevel() == before
