"""A server in a thread of the test's own process, on any free port."""

import contextlib
import queue
import threading
import time

import edge
from edge.serve.limits import Limits


@contextlib.contextmanager
def serving(detect, limits=Limits(), **settings):  # noqa: B008 - frozen
    """The URL of a running server, which is stopped when the block ends."""
    from edge.serve.app import make_app
    from edge.serve.uvicorn_server import listen, make_server

    server = make_server(make_app(detect, limits, **settings), limits)
    ports = queue.Queue()
    thread = threading.Thread(target=listen, args=(server, "127.0.0.1", 0, ports.put))
    thread.start()
    try:
        yield f"http://127.0.0.1:{ports.get(timeout=10)}"
    finally:
        server.should_exit = True
        thread.join(timeout=60)
    assert not thread.is_alive()


def wait_for_metric(url, line):
    """Wait until a line is among the metrics of a server."""
    import httpx

    deadline = time.monotonic() + 20
    while line not in httpx.get(f"{url}/metrics").text.splitlines():
        assert time.monotonic() < deadline, line
        time.sleep(0.02)


class BlockedModels(edge.FaceKeypoints):
    """Models whose detector waits until it is released."""

    def __init__(self):
        super().__init__(precision="fp32")
        self.started = threading.Semaphore(0)
        self.release = threading.Event()

    def detect_faces(self, grey):
        self.started.release()
        assert self.release.wait(timeout=30)
        return super().detect_faces(grey)
