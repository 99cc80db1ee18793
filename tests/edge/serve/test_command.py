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

from edge.serve.command import main
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")


@pytest.fixture
def start(tmp_path):
    """Start the server; returns the process, its address and the line it says."""
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
        port = re.search(r":(\d+)/", line)[1]
        return process, f"http://127.0.0.1:{port}", line

    yield call
    for process in running:
        process.kill()
        process.communicate()


def stop(process):
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def test_it_says_in_one_line_who_is_offered_what(start):
    process, url, line = start()
    assert line == (
        f"edge: {url}/ offers this computer alone the networks, without a token; "
        "--token guards it\n"
    )
    assert httpx.get(f"{url}/health").status_code == 200
    assert stop(process) == (0, "")


def test_a_token_from_the_environment_guards_it_on_other_addresses(start):
    process, url, line = start("--host", "0.0.0.0", EDGE_TOKEN="sesame")
    assert "everyone who reaches this address" in line
    assert "guarded by the token" in line
    assert "sesame" not in line
    assert httpx.get(f"{url}/v1/model").status_code == 401
    assert httpx.get(f"{url}/v1/model", auth=("", "sesame")).status_code == 200
    assert stop(process) == (0, "")


def test_what_was_accepted_is_answered_before_it_stops(start, sample, tmp_path):
    process, url, _ = start()
    file = io.BytesIO()
    Image.open(sample).resize((5000, 5000)).save(file, "JPEG")

    def post(_):
        return httpx.post(f"{url}/v1/keypoints", content=file.getvalue(), timeout=60)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(post, number) for number in range(4)]
        deadline = time.monotonic() + 30
        while "edge_queue 4.0" not in httpx.get(f"{url}/metrics", timeout=30).text:
            assert time.monotonic() < deadline
        status, said = stop(process)
        answered = [answer.result() for answer in answers]
    assert [answer.status_code for answer in answered] == [200] * 4, answered[0].text
    assert [len(answer.json()["faces"]) for answer in answered] == [1] * 4
    assert (status, said) == (0, "")
    assert not list(tmp_path.iterdir())
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health")


def test_viewers_of_a_stream_do_not_hold_it_up(start, film):
    process, url, line = start("--video", str(film))
    assert "the networks and the picture of" in line
    with httpx.stream("GET", f"{url}/v1/live", timeout=30) as answer:
        assert next(answer.iter_raw()).startswith(b"--frame")
        assert stop(process) == (0, "")


def test_an_address_that_cannot_be_had_is_said(start, capsys):
    _, url, _ = start()
    port = url.rpartition(":")[2]
    assert main(["--port", port]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"edge: cannot listen on 127.0.0.1:{port} (")
    assert said.count("\n") == 1


def test_a_video_that_is_not_there_is_said(capsys, tmp_path):
    pytest.importorskip("cv2")
    assert main(["--video", str(tmp_path / "none.mp4"), "--port", "0"]) == 1
    assert "none.mp4: no such file" in capsys.readouterr().err


def test_wrong_settings_are_usage_errors(capsys):
    assert main(["--min-score", "2"]) == 2
    for wrong in (["--port", "x"], ["--camera", "0", "--video", "f"], ["--port", "70000"],
                  ["--max-queue", "0"], ["--batch-ms", "-1"], ["--max-pixels", "0"]):  # fmt: skip
        with pytest.raises(SystemExit) as exit_:
            main(wrong)
        assert exit_.value.code == 2, wrong


def test_without_the_extra_it_is_named(run_python):
    code = (
        "import sys; sys.modules['uvicorn'] = None; import edge.serve.command; "
        "sys.exit(edge.serve.command.main([]))"
    )
    done = run_python("-c", code)
    assert done.returncode == 1
    assert b"edge-keypoints[serve]" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_help_needs_nothing_heavy(run_python):
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['fastapi', 'numpy', 'onnxruntime'])); "
        "import edge.serve.command; edge.serve.command.main(['--help'])"
    )
    done = run_python("-c", code)
    assert done.returncode == 0
    assert b"--camera N" in done.stdout
