import json
import sys

import pytest

from edge.errors import MissingExtra
from edge.extras import require


def test_an_installed_module_is_returned():
    assert require("json", "video", "a test") is json


def test_a_missing_module_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    message = (
        r"reading videos needs cv2 \(.+\); install it with: pip install 'edge-keypoints\[video\]'"
    )
    with pytest.raises(MissingExtra, match=message):
        require("cv2", "video", "reading videos")
