import contextlib
import itertools
import re

import pytest

pytest.importorskip("cv2")
pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx

from edge.errors import SourceError
from edge.image import load_image
from edge.serve.limits import Limits
from edge.serve.live_stream import Live
from tests.edge.serve.serving import serving


def parts(answer):
    """The JPEG files of a stream."""
    data = b""
    for more in answer.iter_raw():
        data += more
        while match := re.search(rb"Content-Length: (\d+)\r\n\r\n", data):
            end = match.end() + int(match[1])
            if len(data) < end:
                break
            yield data[match.end() : end]
            data = data[end:]


def watch(stack, url, path="/v1/live"):
    answer = stack.enter_context(httpx.stream("GET", url + path, timeout=30))
    assert answer.status_code == 200, answer.read()
    assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=frame"
    return parts(answer)


def test_several_watch_and_each_frame_is_looked_at_once(detect, film):
    live = Live(detect, str(film), viewers=3)
    with serving(detect, live=live) as url:
        with contextlib.ExitStack() as stack:
            viewers = [watch(stack, url) for _ in range(3)]
            seen = [list(itertools.islice(viewer, 5)) for viewer in viewers]
            assert "edge_viewers 3.0" in httpx.get(f"{url}/metrics").text
            assert httpx.get(f"{url}/v1/live").status_code == 503
            frames = httpx.get(f"{url}/v1/live/faces").json()
        looked_at = live.looked_at
    different = {frame for frames in seen for frame in frames}
    assert len(different) <= looked_at
    picture = load_image(seen[0][0])
    assert picture.shape == (512, 512, 3)
    (face,) = frames["faces"]
    assert frames["image"] == str(film)
    assert face["keypoints"]["nose_tip"]["x"] == pytest.approx(225, abs=4)


def test_two_viewers_see_the_same_frames(detect, film):
    live = Live(detect, str(film), viewers=3)
    with serving(detect, live=live) as url, contextlib.ExitStack() as stack:
        one, other = (watch(stack, url) for _ in range(2))
        seen = [set(itertools.islice(viewer, 8)) for viewer in (one, other)]
    assert seen[0] & seen[1]


def test_nothing_is_looked_at_while_nobody_watches(detect, film):
    live = Live(detect, str(film), viewers=3)
    with serving(detect, live=live) as url:
        assert httpx.get(f"{url}/v1/live/faces").status_code == 404
        assert live.looked_at == 0


def test_a_film_begins_again_when_it_ends(detect, film):
    live = Live(detect, str(film), viewers=3)
    with serving(detect, live=live) as url, contextlib.ExitStack() as stack:
        viewer, numbers = watch(stack, url), []
        while len(numbers) < 2 or numbers[-1] >= numbers[-2]:
            next(viewer)
            numbers.append(httpx.get(f"{url}/v1/live/faces").json()["frame"])
            assert len(numbers) < 500


def test_a_camera_is_shown_as_it_comes_and_tried_again(detect, sample, monkeypatch, capsys):
    opened = []

    class Lent:
        """A camera that gives three frames and breaks."""

        name = "camera:0"

        def __init__(self, number):
            opened.append(number)

        def frames(self):
            from edge.video.capture import Frame

            for number in range(3):
                yield Frame(number, number / 10, load_image(sample))
            raise SourceError("camera:0: gives no picture")

    monkeypatch.setattr("edge.serve.live_stream.Camera", Lent)
    monkeypatch.setattr("edge.serve.live_stream._RETRY_S", 0.01)
    live = Live(detect, 0, viewers=1)
    with serving(detect, live=live) as url, contextlib.ExitStack() as stack:
        viewer = watch(stack, url)
        while len(opened) < 3:
            next(viewer)
    assert "edge: camera:0: gives no picture" in capsys.readouterr().err


def test_what_cannot_be_opened_is_said_at_once(detect, tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        Live(detect, str(tmp_path / "none.mp4"), Limits().viewers)
