import contextlib
import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("av")

from edge.errors import SourceError
from edge.video import stream as stream_module
from edge.video.stream import Stream, is_address, public_name
from tests.made_videos import encode, numbered, numbers


@contextlib.contextmanager
def serving(respond):
    """The address of a web server on which `respond(handler)` answers each request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            with contextlib.suppress(OSError):
                respond(self)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/film"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def jpeg(grey):
    file = io.BytesIO()
    Image.fromarray(np.full((64, 96, 3), grey, np.uint8)).save(file, "JPEG")
    return file.getvalue()


def send_images(handler, count):
    """Answer as network cameras do: a JPEG image after another."""
    handler.send_response(200)
    handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
    handler.end_headers()
    for number in range(count):
        image = jpeg(100 + number)
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n"
        handler.wfile.write(head.encode() + image + b"\r\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("rtsp://camera/1", True), ("HTTP://host/a.mp4", True), ("https://h", True),
     ("file:///etc/passwd", False), ("a:b.mp4", False), ("C:\\film.mp4", False),
     ("concat://x", False)],
)  # fmt: skip
def test_addresses_are_told_by_their_scheme(text, expected):
    assert is_address(text) is expected


def test_passwords_are_in_no_name():
    assert public_name("rtsp://me:p%40ss@cam:554/1?x=2") == "rtsp://cam:554/1?x=2"


def test_a_file_of_a_web_server_is_read_once_with_its_times(tmp_path):
    path = encode(tmp_path / "film.mkv", numbered(9), [0, 40, 300, 900, 940, 980, 1020, 1060, 1100])

    def respond(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(path.stat().st_size))
        handler.end_headers()
        handler.wfile.write(path.read_bytes())

    with serving(respond) as address:
        stream = Stream(address)
        frames = list(stream.frames())
    assert not stream.is_live
    assert numbers(frames) == list(range(9))
    assert [frame.time for frame in frames[:4]] == pytest.approx([0, 0.04, 0.3, 0.9])


def test_a_lost_live_stream_is_connected_to_again(monkeypatch):
    monkeypatch.setattr(stream_module, "_FIRST_PAUSE_S", 0.01)
    connections = []

    def respond(handler):
        connections.append(handler)
        send_images(handler, 30)

    with serving(respond) as address:
        stream = Stream(address)
        assert stream.is_live
        frames = stream.frames()
        last = -1
        while len(connections) < 3:
            frame = next(frames)
            assert frame.number == last + 1
            assert frame.image.shape == (64, 96, 3)
            last = frame.number
        frames.close()


def test_a_live_stream_that_stays_away_is_an_error(monkeypatch):
    monkeypatch.setattr(stream_module, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(stream_module, "_GIVE_UP_S", 0.2)
    answers = iter([True])

    def respond(handler):
        if next(answers, False):
            send_images(handler, 30)
        else:
            handler.send_error(503)

    with serving(respond) as address, pytest.raises(SourceError, match="no image for"):
        list(Stream(address).frames())


def test_no_connection_is_one_line_without_the_password():
    with pytest.raises(SourceError, match=r"^http://127\.0\.0\.1:9/a: no connection") as caught:
        Stream("http://me:secret@127.0.0.1:9/a")
    assert "secret" not in str(caught.value)


def test_a_source_that_says_nothing_times_out(monkeypatch):
    monkeypatch.setattr(stream_module, "_TIMEOUTS_S", (0.3, 0.3))
    silent = threading.Event()
    with serving(lambda handler: silent.wait(20)) as address:
        with pytest.raises(SourceError, match="no connection"):
            Stream(address)
        silent.set()


def test_a_play_list_of_a_server_leads_to_no_file(tmp_path):
    path = encode(tmp_path / "film.ts", numbered(9), range(0, 360, 40))
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{path}\n#EXT-X-ENDLIST\n"

    def respond(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/vnd.apple.mpegurl")
        handler.end_headers()
        handler.wfile.write(text.encode())

    with serving(respond) as address, pytest.raises(SourceError):
        list(Stream(address + ".m3u8").frames())
