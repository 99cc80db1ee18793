"""The command `python -m edge.serve`, as a process."""

import concurrent.futures
import io
import os
import re
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

import httpx
from PIL import Image

from edge.serve.command import _startup_line, main
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")


@pytest.fixture
def start(tmp_path):
    """Start the server; returns the process, its URL and its startup line."""
    running = []

    def call(*arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, "-m", "edge.serve", "--port", "0", "--precision", "fp32", *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        line = process.stderr.readline()
        address = line if "http:" in line else process.stderr.readline()
        port = re.search(r":(\d+)/", address)[1]
        return process, f"http://127.0.0.1:{port}", line

    yield call
    for process in running:
        process.kill()
        process.communicate()


def stop(process):
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def test_the_startup_line_shows_address_reach_services_and_access(start):
    process, url, line = start()
    assert line == (
        f"edge: {url}/ (this computer only): inference; no token required, set one with --token\n"
    )
    assert httpx.get(f"{url}/health").status_code == 200
    assert stop(process) == (0, "")


def test_the_token_is_read_from_the_environment_and_not_shown(start):
    process, url, line = start("--host", "0.0.0.0", EDGE_TOKEN="sesame")
    port = url.rpartition(":")[2]
    assert line == (
        f"edge: http://0.0.0.0:{port}/ (reachable from the network): inference; token required\n"
    )
    assert httpx.get(f"{url}/v1/model").status_code == 401
    assert httpx.get(f"{url}/v1/model", auth=("", "sesame")).status_code == 200
    assert stop(process) == (0, "")


def test_accepted_requests_are_answered_before_the_server_stops(start, sample, tmp_path):
    process, url, _ = start()
    file = io.BytesIO()
    Image.open(sample).resize((5000, 5000)).save(file, "JPEG")

    def post(_):
        return httpx.post(f"{url}/v1/keypoints", content=file.getvalue(), timeout=60)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        requests = [pool.submit(post, number) for number in range(4)]
        deadline = time.monotonic() + 30
        while "edge_queue 4.0" not in httpx.get(f"{url}/metrics", timeout=30).text:
            assert time.monotonic() < deadline
        stopped = stop(process)
        responses = [request.result() for request in requests]
    assert [response.status_code for response in responses] == [200] * 4, responses[0].text
    assert [len(response.json()["faces"]) for response in responses] == [1] * 4
    assert stopped == (0, "")
    assert not list(tmp_path.iterdir())
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health")


def test_viewers_of_the_live_stream_do_not_delay_the_stop(start, film):
    process, url, line = start("--video", str(film))
    assert f": inference and the live stream of {film}; " in line
    with httpx.stream("GET", f"{url}/v1/live", timeout=30) as response:
        assert next(response.iter_raw()).startswith(b"--frame")
        assert stop(process) == (0, "")


def test_an_option_that_is_to_go_is_said_to_have_no_effect(start):
    process, url, line = start("--batch-ms", "3")
    assert line == (
        "edge: --batch-ms has no effect, as images are no longer processed in batches, and goes in "
        "0.3; see --workers\n"
    )
    assert httpx.get(f"{url}/health").status_code == 200
    assert stop(process)[0] == 0


def test_an_address_in_use_is_an_error_of_one_line(start, capsys):
    _, url, _ = start()
    port = url.rpartition(":")[2]
    assert main(["--port", port]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith(f"edge: cannot listen on 127.0.0.1:{port} (")
    assert errors.count("\n") == 1


def test_a_missing_video_is_an_error(capsys, tmp_path):
    pytest.importorskip("cv2")
    assert main(["--video", str(tmp_path / "none.mp4"), "--port", "0"]) == 1
    assert "none.mp4: no such file" in capsys.readouterr().err


def test_a_model_setting_out_of_range_is_a_usage_error(capsys):
    assert main(["--min-score", "2"]) == 2
    assert capsys.readouterr().err == ("edge: min_score must lie between 0 and 1, received 2.0\n")


def test_an_ipv6_address_is_in_brackets():
    assert _startup_line("::1", 80, "t", None) == (
        "edge: http://[::1]:80/ (this computer only): inference; token required"
    )


def test_without_the_extra_the_error_names_it(run_python):
    code = (
        "import sys; sys.modules['uvicorn'] = None; import edge.serve.command; "
        "sys.exit(edge.serve.command.main([]))"
    )
    done = run_python("-c", code)
    assert done.returncode == 1
    assert done.stderr.startswith(b"edge: the server needs uvicorn (")
    assert done.stderr.endswith(b"install it with: pip install 'edge-keypoints[serve]'\n")
    assert done.stderr.count(b"\n") == 1


def test_a_watched_video_is_published_until_the_server_stops(start, film):
    pytest.importorskip("paho.mqtt")
    from tests.edge.serve.live.mqtt_brokers import StandIn

    with StandIn() as broker:
        login = {"EDGE_MQTT_USER": "anna", "EDGE_MQTT_PASSWORD": "sesame"}
        options = ("--mqtt", f"127.0.0.1:{broker.port}", "--mqtt-name", "Hall")
        process, url, _ = start("--video", film, *options, **login)
        deadline = time.monotonic() + 30
        while broker.retained.get("edge-keypoints/hall/availability") != "online":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        metrics = httpx.get(f"{url}/metrics").text.splitlines()
        assert stop(process) == (0, "")
    assert "edge_live_faces 1.0" in metrics
    assert broker.users == [("anna", "sesame")]
    state = broker.retained["edge-keypoints/hall/state"]
    assert state == '{"faces": 1, "any_face": "ON", "attention": "ON"}'
    assert broker.history[-1] == ("edge-keypoints/hall/availability", "offline")


def test_an_address_that_is_none_is_a_usage_error(film, capsys):
    assert main(["--port", "0", "--video", str(film), "--mqtt", "mqtt://pi"]) == 2
    expected = "--mqtt: expected HOST or HOST:PORT, received 'mqtt://pi'\n"
    assert capsys.readouterr().err.endswith(expected)
