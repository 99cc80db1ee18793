import contextlib
import itertools
import json
import re
import threading
import time
import types

import numpy as np
import pytest

pytest.importorskip("cv2")
pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx

from edge.analysis.assessment import Assessor
from edge.errors import SourceError
from edge.image import load_image
from edge.serve.limits import Limits
from edge.serve.live.followers import LiveAssessor
from edge.serve.live.stream import LiveStream, _in_real_time
from edge.serve.live.watching import Watcher
from edge.video.display import Frame
from tests.edge.serve.serving import serving, wait_for_metric
from tests.edge.video.picamera2_stand_in import install


def jpeg_files(response):
    """The JPEG files of a stream."""
    data = b""
    for chunk in response.iter_raw():
        data += chunk
        while match := re.search(rb"Content-Length: (\d+)\r\n\r\n", data):
            end = match.end() + int(match[1])
            if len(data) < end:
                break
            yield data[match.end() : end]
            data = data[end:]


def watch(stack, url, path="/v1/live"):
    response = stack.enter_context(httpx.stream("GET", url + path, timeout=30))
    assert response.status_code == 200, response.read()
    assert response.headers["content-type"] == "multipart/x-mixed-replace; boundary=frame"
    return jpeg_files(response)


def test_several_viewers_share_frames_that_are_processed_once(detect, film):
    live = LiveStream(detect, str(film), max_viewers=3)
    with serving(detect, live=live) as url:
        with contextlib.ExitStack() as stack:
            viewers = [watch(stack, url) for _ in range(3)]
            received = [list(itertools.islice(viewer, 5)) for viewer in viewers]
            assert "edge_viewers 3.0" in httpx.get(f"{url}/metrics").text.splitlines()
            record = httpx.get(f"{url}/v1/live/faces").json()
        processed = live.processed_frames
    assert len({jpeg for jpegs in received for jpeg in jpegs}) <= processed
    assert load_image(received[0][0]).shape == (512, 512, 3)
    (face,) = record["faces"]
    assert record["image"] == str(film)
    assert face["keypoints"]["nose_tip"]["x"] == pytest.approx(225, abs=4)


def messages(response):
    """The server-sent events of a response."""
    for line in response.iter_lines():
        if line:
            name, _, data = line.partition(": ")
            assert name == "data"
            yield json.loads(data)


def test_states_are_measured_while_someone_follows_them(detect, film, monkeypatch):
    measure, measured = Assessor.__call__, []

    def counted(self, *args, **kwargs):
        measured.append(self)
        return measure(self, *args, **kwargs)

    monkeypatch.setattr(Assessor, "__call__", counted)
    live = LiveStream(detect, str(film), max_viewers=3)
    with serving(detect, live=live) as url:
        with httpx.stream("GET", f"{url}/v1/live/states", timeout=30) as response:
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
            received = list(itertools.islice(messages(response), 4))
        deadline = time.monotonic() + 30
        while live.viewer_count and time.monotonic() < deadline:
            time.sleep(0.01)
        with contextlib.ExitStack() as stack:
            viewer = watch(stack, url)
            list(itertools.islice(viewer, 2))  # the follower may have left in the middle of one
            measured.clear()
            assert len(list(itertools.islice(viewer, 3))) == 3
            assert not measured
            record = httpx.get(f"{url}/v1/live/faces").json()
    assert {(len(m["faces"]), m["faces"][0]["id"]) for m in received} == {(1, 0)}
    assert list(received[0]) == ["frame", "time", "faces", "events"]
    state = received[-1]["faces"][0]["state"]
    assert state["eye_opening_right"]["value"] == pytest.approx(0.385, abs=0.03)
    assert state["lip_opening"]["value"] == pytest.approx(0.18, abs=0.05)
    assert "quality" not in received[-1]["faces"][0]
    assert not {"state", "points68"} & set(record["faces"][0])


def test_quality_is_judged_for_followers_who_ask_for_it(detect, film):
    live = LiveStream(detect, str(film), max_viewers=3)
    address = "/v1/live/states?quality=1"
    with (
        serving(detect, live=live) as url,
        httpx.stream("GET", url + address, timeout=30) as response,
    ):
        received = list(itertools.islice(messages(response), 4))
    assert received[-1]["faces"][0]["quality"]["value"] == pytest.approx(0.9, abs=0.06)


def test_who_comes_while_a_frame_is_processed_follows_from_the_next(detect, film, monkeypatch):
    wanted, calls = LiveAssessor.wanted, itertools.count()

    def of_the_first_frame_nothing(self, followers):
        return wanted(self, followers if next(calls) else ())

    monkeypatch.setattr(LiveAssessor, "wanted", of_the_first_frame_nothing)
    live = LiveStream(detect, str(film), max_viewers=3)
    with (
        serving(detect, live=live) as url,
        httpx.stream("GET", f"{url}/v1/live/states", timeout=30) as response,
    ):
        received = list(itertools.islice(messages(response), 2))
    assert [list(message["faces"][0])[-1] for message in received] == ["state", "state"]
    assert received[0]["frame"] > 0


def test_viewers_beyond_the_limit_are_rejected(detect, film):
    live = LiveStream(detect, str(film), max_viewers=1)
    with serving(detect, live=live) as url, contextlib.ExitStack() as stack:
        viewer = watch(stack, url)
        next(viewer)
        rejected = httpx.get(f"{url}/v1/live")
    assert (rejected.status_code, rejected.headers["retry-after"]) == (503, "1")
    assert rejected.json() == {"error": "the stream has 1 viewers already; retry after 1 s"}


def test_two_viewers_receive_the_same_frames(detect, film):
    live = LiveStream(detect, str(film), max_viewers=3)
    with serving(detect, live=live) as url, contextlib.ExitStack() as stack:
        viewers = [watch(stack, url) for _ in range(2)]
        first, second = (set(itertools.islice(viewer, 8)) for viewer in viewers)
    assert first & second


def test_without_viewers_no_frame_is_processed(detect, film):
    live = LiveStream(detect, str(film), max_viewers=3)
    with serving(detect, live=live) as url:
        response = httpx.get(f"{url}/v1/live/faces")
        assert response.status_code == 404
        assert response.json() == {
            "error": "no frame has been processed yet; open /v1/live first",
        }
        assert live.processed_frames == 0


def test_a_watched_stream_is_measured_without_viewers(detect, film):
    live = LiveStream(detect, str(film), 3, lambda name: Watcher())
    with serving(detect, live=live) as url:
        wait_for_metric(url, "edge_live_faces 1.0")
        wait_for_metric(url, "edge_live_facing_faces 1.0")
        assert httpx.get(f"{url}/v1/live/faces").json()["faces"][0]["id"] == 0
        with contextlib.ExitStack() as stack:
            assert load_image(next(watch(stack, url))).shape == (512, 512, 3)


def test_a_video_restarts_when_it_ends(detect, film):
    live = LiveStream(detect, str(film), max_viewers=3)
    with serving(detect, live=live) as url, contextlib.ExitStack() as stack:
        viewer = watch(stack, url)
        numbers = []
        while len(numbers) < 2 or numbers[-1] >= numbers[-2]:
            next(viewer)
            numbers.append(httpx.get(f"{url}/v1/live/faces").json()["frame"])
            assert len(numbers) < 500


def test_a_camera_that_fails_is_opened_again(detect, sample, monkeypatch, capsys):
    opened = []

    class FailingCamera:
        """A camera that gives three frames, then fails."""

        name = "camera:0"

        def __init__(self, number):
            opened.append(number)

        def frames(self):
            for number in range(3):
                yield Frame(number, number / 10, load_image(sample))
            raise SourceError("camera:0: gives no frame")

    monkeypatch.setattr("edge.serve.live.stream.Camera", FailingCamera)
    monkeypatch.setattr("edge.serve.live.stream._RECONNECT_S", 0.01)
    live = LiveStream(detect, 0, max_viewers=1)
    with serving(detect, live=live) as url, contextlib.ExitStack() as stack:
        viewer = watch(stack, url)
        while len(opened) < 3:
            next(viewer)
    assert "edge: camera:0: gives no frame" in capsys.readouterr().err


def test_a_raspberry_pis_camera_is_shown_in_colour(detect, sample, monkeypatch):
    camera = install(monkeypatch)
    monkeypatch.setattr("edge.serve.live.stream._RECONNECT_S", 0.01)
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[:, 64:544] = load_image(sample)[:480, :480]
    monkeypatch.setattr(camera, "picture", picture)
    live = LiveStream(detect, "camera:pi", max_viewers=1)
    assert live.name == "camera:pi"
    with serving(detect, live=live) as url, contextlib.ExitStack() as stack:
        jpeg = next(watch(stack, url))
        record = httpx.get(f"{url}/v1/live/faces").json()
    assert camera.opened[0].streams == {"main"}
    assert record["faces"][0]["box"][0] == pytest.approx(180 + 64, abs=4)
    shown = load_image(jpeg).astype(int)
    assert np.abs(shown[:60, 64:200].mean((0, 1)) - picture[:60, 64:200].mean((0, 1))).max() < 3


def test_a_source_that_cannot_be_opened_is_an_error_at_once(detect, tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        LiveStream(detect, str(tmp_path / "none.mp4"), Limits().viewers)


def test_late_frames_are_dropped_and_playback_continues_from_there(monkeypatch):
    now = [100.0]
    stopped = threading.Event()

    def wait(seconds):
        now[0] += seconds

    clock = types.SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("edge.serve.live.stream.time", clock)
    monkeypatch.setattr(stopped, "wait", wait)
    frames = [Frame(number, number / 10, None) for number in range(5)]
    played = []
    for frame in _in_real_time(iter(frames), 10.0, stopped):
        played.append((frame.number, round(now[0] - 100, 6)))
        if frame.number == 1:
            now[0] += 1.0  # slower than real time: frame 2 is due at 0.2 s
    assert played == [(0, 0.0), (1, 0.1), (3, 1.2), (4, 1.3)]
    assert now[0] == pytest.approx(101.4)  # the last frame lasts as long as the others
