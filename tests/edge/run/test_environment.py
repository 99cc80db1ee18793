import hashlib

import pytest

from edge import __version__
from edge.errors import ModelError
from edge.networks.keypoint_model import EMBEDDED
from edge.run.environment import describe


def test_all_that_a_bug_report_needs_is_there():
    text = describe(precision="int8")
    assert f"edge:                   {__version__}" in text
    for word in ("python:", "numpy:", "onnxruntime:", "processor:", "cores:", "threads:"):
        assert word in text
    assert hashlib.sha256(EMBEDDED.read_bytes()).hexdigest() in text
    assert "int8 (asked: int8)" in text
    assert "fp32 (asked: fp32)" in describe(precision="fp32")


def test_a_processor_that_says_nothing_is_no_mistake(monkeypatch, tmp_path):
    monkeypatch.setattr("edge.networks.cpu._CPU_FILE", tmp_path / "none")
    assert "none known" in describe(precision="fp32")


def test_a_missing_model_is_said(tmp_path):
    with pytest.raises(ModelError, match="no such model file"):
        describe(tmp_path / "none.onnx")
