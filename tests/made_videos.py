"""Videos whose frames, times and headers are known, encoded with PyAV."""

from __future__ import annotations

import struct
from fractions import Fraction

import numpy as np

MILLISECOND = Fraction(1, 1000)
# Rows of the display matrix of ISO 14496-12, for a frame of 96 rows and 128 columns.
MATRICES = {
    "90": (0, 1, -1, 0), "180": (-1, 0, 0, -1), "270": (0, -1, 1, 0),
    "mirrored": (-1, 0, 0, 1), "mirrored upside down": (1, 0, 0, -1),
    "transposed": (0, 1, 1, 0), "anti-transposed": (0, -1, -1, 0),
}  # fmt: skip


def numbered(count, size=(96, 128)):
    """Frames whose grey says which they are."""
    return [np.full((*size, 3), 8 * i % 256, np.uint8) for i in range(count)]


def numbers(frames):
    """The numbers of `numbered` frames, from their grey."""
    return [round(float(frame.image.mean()) / 8) for frame in frames]


def quarters():
    """A frame of 96×128 px with a white, a light, a dark and a black quarter, in reading order."""
    image = np.zeros((96, 128, 3), np.uint8)
    image[:48, :64], image[:48, 64:], image[48:, :64] = 250, 170, 80
    return image


def encode(path, frames, stamps, unit=MILLISECOND, codec="mpeg4", options=None, shape=None):
    """Write a video file.

    Args:
        path: its suffix gives the format.
        frames: uint8 `(H, W, 3)`.
        stamps: the presentation time of each in `unit`, which is in seconds.
        unit: of the time stamps.
        codec: FFmpeg's name of the encoder.
        options: of the encoder.
        shape: width of a pixel over its height; None for square ones.
    """
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30, options=options or {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.bit_rate = 2_000_000
        stream.time_base = stream.codec_context.time_base = unit
        if shape is not None:
            stream.codec_context.sample_aspect_ratio = shape
        for image, stamp in zip(frames, stamps, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = stamp, unit
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def add_tone(path, target, seconds, codec="aac", hertz=440):
    """Copy a video file and add a tone that begins with it."""
    import av

    with av.open(str(path)) as source, av.open(str(target), "w") as container:
        video = source.streams.video[0]
        copy = container.add_stream_from_template(video)
        sound = container.add_stream(codec, rate=48000, layout="mono")
        for packet in source.demux(video):
            if packet.dts is not None:
                packet.stream = copy
                container.mux(packet)
        wave = np.sin(2 * np.pi * hertz * np.arange(round(48000 * seconds)) / 48000)
        kind = sound.codec_context.format.name
        samples = wave.astype(np.float32) if kind.startswith("flt") else (wave * 30000).astype("i2")
        for start in range(0, len(samples), 1024):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], kind, "mono")
            frame.sample_rate, frame.pts = 48000, start
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return target


def joined(path, parts):
    """Join files as `cat` does."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def set_display_matrix(path, matrix):
    """Give the first track of an .mp4 file a display matrix with these four of its nine numbers."""
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8  # ISO 14496-12: times, layer, volume before
    a, b, c, d = (value << 16 for value in matrix)
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path
