"""A server in a thread of the test's own process, on any free port."""

import contextlib
import queue
import threading

import edge
from edge.serve.limits import Limits


@contextlib.contextmanager
def serving(detect, limits=Limits(), **settings):  # noqa: B008 - frozen
    """The address of a running server; it has stopped when the block is left."""
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


class Held(edge.FaceKeypoints):
    """Models that search no picture until they are let go."""

    def __init__(self):
        super().__init__(precision="fp32")
        self.begun = threading.Semaphore(0)
        self.let_go = threading.Event()

    def detect_faces(self, grey):
        self.begun.release()
        assert self.let_go.wait(timeout=30)
        return super().detect_faces(grey)
