import numpy as np
import pytest

pytest.importorskip("av")

from benchmarks.datasets.made_films import RECIPES, has_ffmpeg
from benchmarks.datasets.sample import SAMPLE
from benchmarks.films import measure_cuts, measure_film
from edge.alignment import align
from edge.facekeypoints import FaceKeypoints
from edge.image import load_image

needs_ffmpeg = pytest.mark.skipif(not has_ffmpeg(), reason="the films are made with ffmpeg")


@pytest.fixture(scope="module")
def detect():
    return FaceKeypoints(precision="fp32")


@pytest.fixture
def portrait(detect):
    sample = load_image(SAMPLE)
    return align(sample, detect(sample)[0], 256)


@needs_ffmpeg
@pytest.mark.parametrize(
    "name", ["29.97 fps", "variable rate, mkv", "mirrored, turned by 90°", "pixels 2:1",
             "webm without duration", "B-frames, mkv, starts at 0.7 s"],
)  # fmt: skip
def test_films_are_read_and_copied_as_they_are_shown(name, portrait, detect):
    film = measure_film(RECIPES[name], portrait, detect)
    assert film.pop("keypoint_error_px") < 3
    assert film == {
        "status": 0, "frames": 48, "frames_missing": 0, "time_error_s": 0,
        "copy_time_error_s": 0, "start_is_right": True,
    }  # fmt: skip


def test_numbers_under_which_two_people_were_are_counted(portrait, detect):
    twice = measure_cuts([portrait, portrait], detect)
    # One person who is said to be two: the second half is under the first one's number.
    assert {show["wrong"] for show in twice.values()} == {0.5}
    assert {show["numbers"] for show in twice.values()} == {1}
    assert np.all([show["people"] == 2 for show in twice.values()])
