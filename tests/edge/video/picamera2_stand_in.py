"""A stand-in for picamera2, whose camera gives five frames of one picture."""

import sys
import types
from typing import ClassVar

import numpy as np

from edge.image import to_grey


def install(monkeypatch):
    """Put the stand-in in place of the package; returns its class, which remembers its cameras."""
    monkeypatch.setattr(Picamera2, "opened", [])
    monkeypatch.setitem(sys.modules, "picamera2", types.SimpleNamespace(Picamera2=Picamera2))
    return Picamera2


class Picamera2:
    """What is used of picamera2's class: a camera whose rows of YUV are padded."""

    opened: ClassVar = []
    picture: ClassVar = np.random.default_rng(1).integers(0, 256, (480, 640, 3)).astype(np.uint8)
    replaced: ClassVar = {}  # formats, by stream
    broken = False
    cameras = 1
    frames = 5

    def __init__(self, camera_num=0):
        if camera_num >= self.cameras:
            raise IndexError("list index out of range")
        self.calls, self.streams = [], set()
        self.colours = self.picture
        self.left = self.frames
        type(self).opened.append(self)

    def create_preview_configuration(self, main, lores):
        assert (main["format"], lores["format"]) == ("BGR888", "YUV420")
        return {"main": main, "lores": lores}

    def configure(self, configuration):
        self.configuration = {
            stream: {**settings, "format": self.replaced.get(stream, settings["format"])}
            for stream, settings in configuration.items()
        }

    def camera_configuration(self):
        return self.configuration

    def start(self):
        self.calls.append("start")
        if self.broken:
            raise RuntimeError("the cable is loose\nand more")

    def capture_array(self, name):
        self.streams.add(name)
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("the camera was unplugged")
        if name == "main":
            return self.colours
        padded = np.zeros((720, 704), np.uint8)
        padded[:480, :640] = to_grey(self.colours)
        return padded

    def stop(self):
        self.calls.append("stop")

    def close(self):
        self.calls.append("close")
