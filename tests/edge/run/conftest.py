"""Fixtures that tests of the command share: a folder of images, a face, and a reporter."""

import io

import numpy as np
import pytest
from PIL import Image

from edge.face import Face
from edge.keypoints import KEYPOINT_NAMES
from edge.run.reporter import Drawing, Outputs, Reporter
from edge.run.tables import Tables


@pytest.fixture
def folder(sample, tmp_path, monkeypatch):
    """The working directory, with three crops of the sample and a broken file in `in/`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    face = Image.open(sample).crop((174, 64, 274, 164))
    for i, name in enumerate(("a.png", "b.png", "d.png")):
        face.rotate(4 * i).save(tmp_path / "in" / name)
    (tmp_path / "in" / "c.png").write_text("no image")
    return tmp_path


@pytest.fixture
def face():
    """A face with keypoints in the rows (0, 1), (2, 3), … and a box of 3×4 px."""
    keypoints = np.arange(30, dtype=np.float32).reshape(15, 2)
    box = np.array([1.4, 2.6, 3, 4], np.float32)
    return Face(box, 0.98765, keypoints, np.full(15, 1.5, np.float32))


@pytest.fixture
def json_file():
    """What `reporter` writes as JSON Lines."""
    return io.StringIO()


@pytest.fixture
def reporter(json_file):
    """A reporter that writes JSON Lines and prints faces."""
    return Reporter(Outputs(Tables(KEYPOINT_NAMES, json_file, None)), Drawing(), KEYPOINT_NAMES)
