import io
import os
import subprocess
import sys

import pytest

from edge.cli.streams import make_streams_readable
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("encoding", "text", "written"),
    [
        ("utf-8", "96×96 … Ж", "96×96 … Ж"),
        ("ascii", "96×96 … 0–1 ≤ 2°", "96x96 ... 0-1 <= 2 degrees"),
        ("cp1251", "96×96 … Ж ½", "96x96 … Ж 1/2"),
        ("ascii", "caf\u00e9 \u4e2d \udcff \U0001f600", r"caf\xe9 \u4e2d \udcff \U0001f600"),
        ("utf-8", "\udcff.jpg", r"\udcff.jpg"),
    ],
)
def test_what_an_encoding_lacks_is_written_plainly(monkeypatch, encoding, text, written):
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", io.StringIO())  # which cannot be changed
    make_streams_readable()
    stream.write(text)
    stream.flush()
    assert stream.buffer.getvalue().decode(encoding) == written


@pytest.mark.parametrize("encoding", ["ascii", "cp1251", "cp437", "latin-1", "utf-16"])
@pytest.mark.parametrize("package", ["run", "bulk", "serve"])
def test_help_is_printed_on_any_stream(package, encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-m", f"edge.{package}", "--help"],
        capture_output=True, env=environment, cwd=ROOT, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert "usage:" in done.stdout.decode(encoding)
