import json
import sys

import pytest

from edge.errors import MissingExtra
from edge.extras import describe_missing, require


def test_an_installed_module_is_returned():
    assert require("json", "video", "a test") is json


def test_a_missing_module_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    message = (
        r"reading videos needs cv2 \(.+\); install it with: pip install 'edge-keypoints\[video\]'"
    )
    with pytest.raises(MissingExtra, match=message):
        require("cv2", "video", "reading videos")


@pytest.mark.parametrize(
    ("module", "python", "message"),
    [
        ("pandas", (3, 14, 0), "this needs pandas, which is not installed; install it with: pip "
         "install 'edge-keypoints[train]'"),
        ("tensorflow", (3, 13, 1), "this needs tensorflow, which is not installed; install it "
         "with: pip install 'edge-keypoints[train]'"),
        ("tensorflow.python", (3, 14, 0), "this needs TensorFlow, which has no package for Python "
         "3.14; use Python 3.10 to 3.13"),
    ],
)  # fmt: skip
def test_a_missing_package_is_described_with_what_to_do(monkeypatch, module, python, message):
    monkeypatch.setattr(sys, "version_info", python)
    error = ModuleNotFoundError(f"No module named {module!r}", name=module)
    assert describe_missing(error, "train") == message
