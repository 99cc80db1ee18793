import threading
import time

import numpy as np
import pytest

pytest.importorskip("cv2")

from edge.errors import MissingExtra, SourceError
from edge.video.capture import Camera, Video, VideoWriter


def numbered(count, size=(96, 128)):
    """Frames whose grey says which they are."""
    return [np.full((*size, 3), 8 * i % 256, np.uint8) for i in range(count)]


@pytest.fixture
def film(tmp_path):
    writer = VideoWriter(tmp_path / "film.avi", 20.0)
    for picture in numbered(30):
        writer.write(picture)
    writer.close()
    return tmp_path / "film.avi"


def which(frames):
    return [round(float(frame.image.mean()) / 8) for frame in frames]


def test_a_written_film_is_read_with_its_rate_and_length(film):
    video = Video(film)
    assert (video.rate, video.count) == (20.0, 30)
    frames = list(video.frames())
    assert which(frames) == list(range(30))
    assert [frame.number for frame in frames] == list(range(30))
    assert frames[10].time == pytest.approx(0.5)
    assert frames[0].image.shape == (96, 128, 3)


def test_a_part_of_a_film_and_every_few_frames(film):
    assert which(Video(film).frames(every=7)) == [0, 7, 14, 21, 28]
    assert which(Video(film).frames(start=0.5, stop=0.75)) == [10, 11, 12, 13, 14]
    assert which(Video(film).frames(every=4, start=1.0)) == [20, 24, 28]


def test_a_start_after_the_end_is_said(film):
    with pytest.raises(SourceError, match=r"ends after 1\.5 s, before --start 100"):
        list(Video(film).frames(start=100))


def test_a_film_of_odd_sides_loses_no_row(tmp_path):
    writer = VideoWriter(tmp_path / "odd.mp4", 10)
    picture = np.full((49, 63, 3), 30, np.uint8)
    picture[-4:], picture[:, -4:] = 220, 220
    for _ in range(3):
        writer.write(picture)
    writer.close()
    read = next(Video(tmp_path / "odd.mp4").frames()).image
    assert read.shape == (50, 64, 3)
    assert read[-3:].min() > 150


def test_colours_keep_their_order(tmp_path):
    writer = VideoWriter(tmp_path / "red.avi", 10)
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 230
    writer.write(red)
    writer.close()
    (frame,) = Video(tmp_path / "red.avi").frames()
    assert frame.image[32, 32, 0] > 180
    assert frame.image[32, 32, 2] < 60


def test_what_is_no_video_is_said(tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty.mp4").touch()
    for name in ("text.mp4", "empty.mp4"):
        with pytest.raises(SourceError, match="cannot be opened as a video"):
            Video(tmp_path / name)
    with pytest.raises(SourceError, match="no such file"):
        Video(tmp_path / "none.mp4")


def test_a_film_that_breaks_off_gives_what_it_has(film, tmp_path):
    data = film.read_bytes()
    (tmp_path / "cut.avi").write_bytes(data[: len(data) * 2 // 3])
    frames = list(Video(tmp_path / "cut.avi").frames())
    assert 5 < len(frames) < 30


def test_an_abandoned_film_leaves_nothing(tmp_path):
    writer = VideoWriter(tmp_path / "film.mp4", 10)
    writer.write(numbered(1)[0])
    writer.abandon()
    assert list(tmp_path.iterdir()) == []


def test_without_opencv_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    with pytest.raises(MissingExtra, match=r"edge-keypoints\[video\]"):
        Video("film.mp4")


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


def test_a_film_that_was_taken_sideways_is_read_upright(tmp_path):
    import struct

    path = tmp_path / "sideways.mp4"
    picture = np.zeros((96, 128, 3), np.uint8)
    picture[:48] = 220
    writer = VideoWriter(path, 20.0)
    for _ in range(5):
        writer.write(picture)
    writer.close()
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8  # ISO 14496-12: times, layer, volume before
    quarter = (0, 1 << 16, 0, -1 << 16, 0, 0, 96 << 16, 0, 1 << 30)  # clockwise
    data[matrix : matrix + 36] = struct.pack(">9i", *quarter)
    path.write_bytes(data)
    for frame in Video(path).frames():
        assert frame.image.shape == (128, 96, 3)
        assert frame.image[:, 60:].mean() > 180  # what was the top is on the right
        assert frame.image[:, :36].mean() < 40


def test_a_camera_that_fails_while_it_is_read_is_an_error(fake_camera, monkeypatch):
    def unplugged():
        raise RuntimeError("unplugged")
        yield

    fake_camera(unplugged())
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    with pytest.raises(SourceError, match="gives no image"):
        next(Camera(0).frames())
