import json
import sys

import numpy as np
import pytest

from edge.errors import MissingExtra, SourceError
from edge.image import load_image, to_grey
from edge.run.command import main
from edge.video.capture import PiCamera, pi_camera_number
from tests.edge.video.picamera2_stand_in import install


@pytest.fixture
def picamera2(monkeypatch):
    return install(monkeypatch)


def test_the_name_of_a_camera_has_its_number():
    names = ["camera:pi", "camera:pi1", "camera:pi12", "camera:0", "pi", "camera:pix"]
    assert [pi_camera_number(name) for name in names] == [0, 1, 12, None, None, None]


@pytest.mark.parametrize("colour", [True, False])
def test_frames_are_rgb_or_the_luma_of_the_camera(picamera2, colour):
    frames = PiCamera(colour=colour).frames()
    first = next(frames)
    frames.close()
    (camera,) = picamera2.opened
    expected = camera.colours if colour else to_grey(camera.colours)
    np.testing.assert_array_equal(first.image, expected)
    assert camera.calls == ["start", "stop", "close"]


def test_a_missing_camera_and_a_missing_package_say_what_to_do(picamera2, monkeypatch):
    with pytest.raises(SourceError, match=r"camera:pi1: there is no such camera.*rpicam-hello"):
        PiCamera("camera:pi1", 1)
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(MissingExtra, match="sudo apt install python3-picamera2"):
        PiCamera()


def test_a_camera_that_does_not_start_is_closed(picamera2, monkeypatch):
    monkeypatch.setattr(picamera2, "broken", True)
    with pytest.raises(SourceError, match=r"another program uses it \(the cable is loose\)"):
        PiCamera()
    assert picamera2.opened[0].calls == ["start", "close"]


def test_a_camera_without_the_format_of_a_pi_is_an_error_and_closed(picamera2, monkeypatch):
    monkeypatch.setattr(picamera2, "replaced", {"main": "NV12", "lores": "NV12"})
    with pytest.raises(SourceError, match=r"camera:pi: gives NV12, expected BGR888; .* camera:0"):
        PiCamera()
    assert picamera2.opened[0].calls == ["start", "close"]
    PiCamera(colour=False).frames().close()  # its luma comes first, too
    monkeypatch.setattr(picamera2, "replaced", {"lores": "MJPEG"})
    with pytest.raises(SourceError, match=r"camera:pi: gives MJPEG, expected YUV420"):
        PiCamera(colour=False)


def test_a_camera_that_is_unplugged_is_an_error_after_its_frames(picamera2):
    with pytest.raises(SourceError, match=r"camera:pi: gives no frame \(the camera was unplugged"):
        list(PiCamera().frames())
    assert picamera2.opened[0].calls == ["start", "stop", "close"]


@pytest.mark.parametrize(("options", "stream"), [([], "lores"), (["-o", "seen.avi"], "main")])
def test_the_command_tracks_in_grey_unless_it_writes_colours(
    picamera2, options, stream, sample, tmp_path, monkeypatch, capsys
):
    if options:
        pytest.importorskip("av")
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[:, 64:544] = load_image(sample)[:480, :480]
    monkeypatch.setattr(picamera2, "picture", picture)
    monkeypatch.chdir(tmp_path)
    arguments = ["camera:pi", "--json", "faces.jsonl", "--precision", "fp32"]
    assert main([*arguments, *options]) == 1  # it was unplugged in the end
    record, *_ = map(json.loads, (tmp_path / "faces.jsonl").read_text().splitlines())
    assert (record["image"], record["width"], record["height"]) == ("camera:pi", 640, 480)
    (face,) = record["faces"]
    assert face["box"][0] == pytest.approx(180 + 64, abs=4)
    assert picamera2.opened[0].streams == {stream}
    assert "camera:pi: gives no frame" in capsys.readouterr().err
