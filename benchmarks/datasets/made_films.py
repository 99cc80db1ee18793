"""Films as cameras, phones and recorders write them, made with FFmpeg's program.

Coordinates are px of the picture that players show.
"""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FRAMES = 48
_X264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p")
# Encoder options, the suffix, and the display matrix a b c d that the file gets (ISO 14496-12).
_Matrix = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a film is made from a still picture.

    Attributes:
        suffix: of the file.
        rate: frames a second of the input.
        options: of the encoder.
        matrix: a, b, c, d of the display matrix; the stored picture is such that players show the
            still one; None for none.
        squeeze: width of a stored pixel over its height.
    """

    suffix: str = ".mp4"
    rate: str = "30"
    options: tuple[str, ...] = _X264
    matrix: _Matrix | None = None
    squeeze: int = 1


_VARIABLE = "setpts='if(lt(N,20),N,20+(N-20)*7)/30/TB'"  # a pause of 0.2 s between later frames
RECIPES = {
    "24 fps": Recipe(rate="24"),
    "29.97 fps": Recipe(rate="30000/1001"),
    "variable rate": Recipe(options=("-vf", _VARIABLE, "-vsync", "vfr", *_X264)),
    "variable rate, mkv": Recipe(".mkv", options=("-vf", _VARIABLE, "-vsync", "vfr", *_X264)),
    "turned by 90°": Recipe(matrix=(0, 1, -1, 0)),
    "turned by 180°": Recipe(matrix=(-1, 0, 0, -1)),
    "turned by 270°": Recipe(matrix=(0, -1, 1, 0)),
    "mirrored": Recipe(matrix=(-1, 0, 0, 1)),
    "mirrored, upside down": Recipe(matrix=(1, 0, 0, -1)),
    "mirrored, turned by 90°": Recipe(matrix=(0, 1, 1, 0)),
    "pixels 2:1": Recipe(squeeze=2),
    "webm without duration": Recipe(".webm", options=("-c:v", "libvpx", "-live", "1")),
    "B-frames, starts at 5 s": Recipe(
        ".ts", options=("-bf", "3", *_X264, "-output_ts_offset", "5")
    ),
    "B-frames, mkv, starts at 0.7 s": Recipe(
        ".mkv", options=("-bf", "3", *_X264, "-output_ts_offset", "0.7")
    ),
}


def has_ffmpeg() -> bool:
    """Whether FFmpeg's programs are on the PATH."""
    return bool(shutil.which("ffmpeg") and shutil.which("ffprobe"))


def make_film(recipe: Recipe, picture: NDArray[np.uint8], folder: Path) -> Path:
    """Make a film of 48 frames in which players show `picture`, uint8 `(H, W, 3)`, even sides."""
    stored = _stored(picture, recipe)
    height, width = stored.shape[:2]
    path = folder / f"film{recipe.suffix}"
    shape = ("-aspect", f"{width * recipe.squeeze}:{height}") if recipe.squeeze > 1 else ()
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24",
         "-s", f"{width}x{height}", "-r", recipe.rate, "-i", "-", *recipe.options, *shape, path],
        input=stored.tobytes() * _FRAMES, check=True,
    )  # fmt: skip
    if recipe.matrix:
        _set_matrix(path, recipe.matrix)
    return path


def true_times(path: Path) -> list[float]:
    """The presentation times of the frames after the first, by ffprobe, seconds."""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-of", "json",
         "-show_entries", "frame=best_effort_timestamp_time", path],
        capture_output=True, check=True,
    )  # fmt: skip
    frames = json.loads(done.stdout)["frames"]
    times = [float(frame["best_effort_timestamp_time"]) for frame in frames]
    return [time - times[0] for time in times]


def _stored(picture: NDArray[np.uint8], recipe: Recipe) -> NDArray[np.uint8]:
    """The picture as it is stored: what the display matrix and the pixels' shape undo."""
    stored = picture
    if recipe.matrix:
        a, b, c, d = recipe.matrix
        # Shown at (a·x + c·y, b·x + d·y): undone by the same flips, then the exchange of axes.
        across, down = (a or c), (b or d)
        stored = stored[:: down or 1, :: across or 1]
        if b or c:
            stored = stored.transpose(1, 0, 2)
    return np.ascontiguousarray(stored[:, :: recipe.squeeze])


def _set_matrix(path: Path, matrix: _Matrix) -> None:
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8  # times, layer and volume before
    a, b, c, d = (value << 16 for value in matrix)
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
