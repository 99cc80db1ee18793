"""The example on a film of the sample whose eyes are painted over for a while."""

import numpy as np
import pytest

import edge
from edge.geometry.eye_frame import CORNERS
from edge.image import load_image
from edge.video.display import Frame
from examples.drowsiness_alarm import warnings


@pytest.fixture(scope="module")
def pictures():
    """The sample, small, with open eyes and with closed ones."""
    from tests.conftest import SAMPLE

    awake = load_image(SAMPLE)[0:256, 100:356].copy()
    [face] = edge.FaceKeypoints(precision="fp32")(awake)
    asleep = awake.astype(float)
    row, column = np.mgrid[: awake.shape[0], : awake.shape[1]]
    for pair in CORNERS:  # skin with a soft edge, and the line of the lashes
        x, y = face.keypoints[list(pair)].mean(axis=0)
        skin = awake[round(y) + 9, round(x) - 11 : round(x) + 11].mean(axis=0)
        reach = np.where(row < y, (y - row) / 6, (row - y) / 5)
        opacity = np.clip(4 * (1.2 - np.maximum(abs(column - x) / 11, reach)), 0, 1)[..., None]
        asleep += opacity * (skin - asleep)
        asleep[(abs(column - x) < 9) & (abs(row - y - 2.5) < 1)] = skin / 2
    return awake, asleep.round().astype(np.uint8)


def test_closed_eyes_raise_an_alarm(pictures):
    awake, asleep = pictures
    frames = (Frame(i, i / 15, asleep if 4 <= i / 15 < 6.5 else awake) for i in range(9 * 15))
    lines = list(warnings(frames))
    assert any("eyes closed for 2." in line for line in lines)
    assert any("of the last minute" in line for line in lines)


def test_who_is_awake_is_left_alone(pictures):
    awake, _ = pictures
    noise = np.random.default_rng(0)
    frames = (
        Frame(i, i / 15, np.clip(awake + noise.normal(0, 2, awake.shape), 0, 255).astype(np.uint8))
        for i in range(90)
    )
    assert list(warnings(frames)) == []
