import base64
import re

import pytest
from PIL import Image

import edge
from edge.image import load_image
from examples.symmetry_report import report


def test_the_report_has_the_picture_and_the_pairs(sample):
    html = report(str(sample))
    picture = base64.b64decode(re.search(r"base64,([^']+)'", html)[1])
    height, width, _ = load_image(picture).shape
    assert (height, width) == (pytest.approx(232, abs=4), pytest.approx(184, abs=4))  # two boxes
    assert "<h1>astronaut.jpg</h1>" in html
    row = re.search(r"<tr><td>eye width</td>(.*?)</tr>", html)[1]
    (right, _), (left, _), (difference, error) = re.findall(r"([+-]?\d\.\d+) ± (\d\.\d+)", row)
    assert float(right) == pytest.approx(0.285, abs=0.02)
    assert float(difference) == pytest.approx(float(right) - float(left), abs=0.0015)
    assert float(error) == pytest.approx(0.012, abs=0.006)


def test_a_photo_without_a_face_is_an_error(tmp_path):
    Image.new("RGB", (80, 80)).save(tmp_path / "plain.png")
    with pytest.raises(edge.EdgeError, match=r"plain\.png: no face found"):
        report(str(tmp_path / "plain.png"))
