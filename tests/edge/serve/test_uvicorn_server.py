import asyncio
import inspect
import socket
import time

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from edge.errors import SourceError
from edge.serve.limits import Limits
from edge.serve.uvicorn_server import _bind, make_server
from tests.edge.serve.serving import serving

HEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def url(detect):
    with serving(detect, Limits(body_seconds=0.5)) as url:
        yield url


def connect(url):
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def receive_health(client):
    """One response of /health."""
    response = b""
    while not response.endswith(b'{"status":"ok"}'):
        data = client.recv(4000)
        assert data, response
        response += data


def test_uvicorn_has_the_internals_that_the_head_timeout_relies_on():
    def require(condition, internals):
        assert condition, (
            f"uvicorn no longer has {internals}; adapt edge/serve/uvicorn_server.py, or add an "
            "upper bound on uvicorn to pyproject.toml"
        )

    for method in ("connection_made", "data_received", "connection_lost"):
        require(method in vars(H11Protocol), f"H11Protocol.{method}")

    async def make_protocol():
        config = Config(lambda: None, ws="none", log_config=None)
        loop = asyncio.get_running_loop()
        return loop, H11Protocol(config, ServerState(), {}, _loop=loop)

    loop, protocol = asyncio.run(make_protocol())
    require(getattr(protocol, "loop", None) is loop, "H11Protocol.loop")
    require(getattr(protocol, "cycle", 0) is None, "H11Protocol.cycle, None before a request")
    require(hasattr(protocol, "transport"), "H11Protocol.transport")
    source = inspect.getsource(RequestResponseCycle)
    require("self.response_complete = False" in source, "RequestResponseCycle.response_complete")
    parameters = list(inspect.signature(Server.handle_exit).parameters)
    require(parameters == ["self", "sig", "frame"], "Server.handle_exit(sig, frame)")


@pytest.mark.parametrize("sent", [b"", b"GET /health HT", b"GET /health HTTP/1.1\r\nHost: loc"])
def test_a_connection_without_a_complete_head_is_closed(url, sent):
    with connect(url) as client:
        client.sendall(sent)
        assert client.recv(100) == b""


def test_the_head_of_a_further_request_must_arrive_in_time_too(url):
    with connect(url) as client:
        client.sendall(HEAD)
        receive_health(client)
        client.sendall(HEAD[:20])
        time.sleep(0.2)
        client.sendall(HEAD[20:])
        receive_health(client)
        client.sendall(HEAD[:20])
        assert client.recv(100) == b""


def test_a_request_may_take_longer_than_its_head(detect, sample):
    class SlowModels(type(detect)):
        def detect_faces(self, grey):
            time.sleep(1.5)
            return super().detect_faces(grey)

    with serving(SlowModels(precision="fp32"), Limits(body_seconds=1.0)) as url:
        response = httpx.post(f"{url}/v1/keypoints", content=sample.read_bytes())
    assert response.status_code == 200


def test_a_shutdown_waits_as_long_as_the_limits_allow_a_request():
    server = make_server(lambda: None, Limits(body_seconds=2.0, answer_seconds=3.0))
    assert server.config.timeout_graceful_shutdown == 10


def test_a_signal_is_reported_before_the_server_stops():
    calls = []
    server = make_server(lambda: None, Limits(), lambda: calls.append(server.should_exit))
    server.handle_exit(15, None)
    assert calls == [False]
    assert server.should_exit


def test_a_port_in_use_is_named():
    with _bind("127.0.0.1", 0) as occupied:
        port = occupied.getsockname()[1]
        with pytest.raises(SourceError, match=rf"^cannot listen on 127\.0\.0\.1:{port} \("):
            _bind("127.0.0.1", port)
