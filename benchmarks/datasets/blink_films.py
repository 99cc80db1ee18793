"""Films of faces that blink, made from photos whose meshes say where the lids are.

Each photo is drawn with its eyes closed by several shares: the upper lid and the skin above it are
moved down over the eye, column by column, and shaded a little where the lid bulges. The frames of a
film show several such faces, each trembling by itself, with noise and after compression.

Legend: F faces, V mesh vertices (478).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.geometry.face_frame import box_of_keypoints
from edge.image import Rgb, load_image
from edge.keypoints import KEYPOINT_NAMES

Points = NDArray[np.float64]

RATE = 30.0  # frames per second
TILE = 160  # px, side of the part of a frame that shows one face
SHORTEST_S, LONGEST_S = 0.1, 0.4  # of a blink, from open to open
_HELD_OUT = 10  # every tenth photo: those that the eye network was not trained on
_UNITS_PER_PX = 8  # of the integers in mesh.npz
_LEVELS = 16  # pictures between open and closed
_OVERSAMPLING = 2.0  # of the pictures over the frames
_MIN_OPENING = 0.25  # of the eyes of photos that are used, which have to be open
_CLOSING, _CLOSED = 0.35, 0.2  # shares of a blink in which lids go down, and stay there
_NOISE = 2.5  # standard deviation, grey values
_QUALITY = 70  # of JPEG
_SHADE = 0.9  # brightness of the skin of a closed lid
# Right and left eye of the mesh, each from the outer to the inner corner: upper and lower lid, and
# the crease above the upper lid.
_LIDS = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133),
     (33, 247, 30, 29, 27, 28, 56, 190, 133)),
    ((263, 466, 388, 387, 386, 385, 384, 398, 362), (263, 249, 390, 373, 374, 380, 381, 382, 362),
     (263, 467, 260, 259, 257, 258, 286, 414, 362)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Actor:
    """A face that can blink.

    Attributes:
        pictures: uint8 `(H, W, 3)` each, from open to closed eyes.
        centre: of the face in them, `(2,)` px.
    """

    pictures: list[Rgb]
    centre: Points


@dataclass(frozen=True, slots=True)
class Blink:
    """When a face's lids begin to close, and when they are open again, seconds."""

    start: float
    end: float

    def closure(self, time: float) -> float:
        """By how much the eyes are closed, 0–1."""
        share = (time - self.start) / (self.end - self.start)
        if not 0 < share < 1:
            return 0.0
        if share < _CLOSING:
            return float(0.5 - 0.5 * np.cos(np.pi * share / _CLOSING))
        opening = max(0.0, share - _CLOSING - _CLOSED) / (1 - _CLOSING - _CLOSED)
        return float(0.5 + 0.5 * np.cos(np.pi * opening))


def read_actors(folder: Path, count: int, face_px: float, rng: np.random.Generator) -> list[Actor]:
    """Choose photos of one face with open eyes that no network of eyes was trained on.

    Args:
        folder: `permissive/`, with `annotations.jsonl` and `mesh.npz`.
        count: of photos.
        face_px: width of the faces' boxes in a film.
        rng: of the choice.

    Raises:
        OSError, ImageError: a file cannot be read.
        KeyError, ValueError: an annotation lacks a value.
    """
    lines = (folder / "annotations.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines[::_HELD_OUT]]
    with np.load(folder / "mesh.npz") as file:
        meshes = file["mesh"]
    actors: list[Actor] = []
    for i in rng.permutation(len(rows)).tolist():
        if len(actors) == count:
            break
        if len(rows[i]["faces"]) == 1 and len(rows[i]["yunet"]) == 1:
            [face] = rows[i]["faces"]
            mesh = meshes[face["mesh"]][:, :2] / _UNITS_PER_PX
            keypoints = np.array([face["teacher"][name] for name in KEYPOINT_NAMES])
            box = box_of_keypoints(keypoints)
            if box is not None and min(_openings(mesh)) >= _MIN_OPENING and box[2] >= 0.9 * face_px:
                actors.append(_actor(load_image(folder / rows[i]["image"]), mesh, box, face_px))
    return actors


def _openings(mesh: Points) -> list[float]:
    """How far the eyes of a mesh are open, in eye widths."""
    lids = [mesh[upper[4]] - mesh[lower[4]] for upper, lower, _ in _LIDS]
    widths = [mesh[upper[0]] - mesh[upper[-1]] for upper, _, _ in _LIDS]
    lengths = np.linalg.norm(lids, axis=1) / np.linalg.norm(widths, axis=1)
    return [float(length) for length in lengths]


def _actor(photo: Rgb, mesh: Points, box: NDArray[np.float32], face_px: float) -> Actor:
    scale = _OVERSAMPLING * face_px / float(box[2])
    centre = np.asarray(box[:2] + box[2:] / 2, np.float64)
    pictures = []
    for level in range(_LEVELS + 1):
        picture = photo
        for eye in range(2):
            picture = close_eye(picture, mesh, eye, level / _LEVELS)
        size = [round(scale * side) for side in picture.shape[1::-1]]
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        pictures.append(np.asarray(cv2.resize(picture, size, interpolation=method), np.uint8))
    return Actor(pictures, (centre + 0.5) * scale - 0.5)


def close_eye(picture: Rgb, mesh: Points, eye: int, closure: float) -> Rgb:
    """A picture with the right (0) or left (1) eye closed by a share of its opening.

    The eye is turned upright, its columns are moved, and it is turned back, so that no pixel
    outside changes.
    """
    upper, lower, crease = (mesh[list(line)] for line in _LIDS[eye])
    ends = np.stack([upper[0], upper[-1]])
    ends = ends[np.argsort(ends[:, 0])]
    along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    down = np.array([-along[1], along[0]])
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float64)
    u = (x - ends[0, 0]) * along[0] + (y - ends[0, 1]) * along[1]
    v = (x - ends[0, 0]) * down[0] + (y - ends[0, 1]) * down[1]
    top, bottom, fold = (
        _height_at(line - ends[0], along, down, u) for line in (upper, lower, crease)
    )
    gap = np.where(
        (u > 0) & (u < np.linalg.norm(ends[1] - ends[0])), np.maximum(bottom - top, 0), 0
    )
    fold = np.minimum(fold, top - 0.2 * gap)
    before = [fold - gap, fold, top, bottom, bottom + gap]
    moves = [0.0, 0.55, 0.96, -0.04, 0.0]
    after = [line + closure * move * gap for line, move in zip(before, moves, strict=True)]
    source = v.copy()
    for k in range(4):
        span = np.maximum(after[k + 1] - after[k], 1e-6)
        inside = (v >= after[k]) & (v < after[k + 1]) & (gap > 0)
        share = (v - after[k]) / span
        source = np.where(inside, before[k] + share * (before[k + 1] - before[k]), source)
    shift = source - v
    map_x, map_y = x + shift * down[0], y + shift * down[1]
    moved = cv2.remap(picture, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR)
    lid = (v > after[1]) & (v < after[2]) & (gap > 0)
    shade = 1 - (1 - _SHADE) * closure * cv2.GaussianBlur(lid.astype(np.float32), (3, 3), 0)
    return np.asarray(np.clip(moved * shade[..., None], 0, 255), np.uint8)


def _height_at(line: Points, along: Points, down: Points, u: Points) -> Points:
    positions, heights = line @ along, line @ down
    order = np.argsort(positions)
    return np.interp(u, positions[order], heights[order])


def draw_blinks(seconds: float, rng: np.random.Generator) -> list[Blink]:
    """Blinks of one face, 1.5 to 5 s apart, the first after 2 s."""
    blinks: list[Blink] = []
    time = 2.0 + rng.uniform(0, 1.5)
    while time < seconds - 1:
        blinks.append(Blink(time, time + rng.uniform(SHORTEST_S, LONGEST_S)))
        time = blinks[-1].end + rng.uniform(1.5, 5.0)
    return blinks


def frames(
    actors: list[Actor], blinks: list[list[Blink]], seconds: float, rng: np.random.Generator
) -> Iterator[tuple[float, Rgb]]:
    """The times and frames of a film that shows all actors side by side.

    Args:
        actors: the faces.
        blinks: of each.
        seconds: duration.
        rng: of the noise and the motion.
    """
    phases = rng.uniform(0, 2 * np.pi, (len(actors), 4))
    rates = rng.uniform(0.3, 1.5, (len(actors), 4))  # radians per second
    for number in range(round(seconds * RATE)):
        time = number / RATE
        tiles = []
        for actor, own, phase, rate in zip(actors, blinks, phases, rates, strict=True):
            closure = max((blink.closure(time) for blink in own), default=0.0)
            picture = actor.pictures[round(closure * _LEVELS)]
            tiles.append(_tile(picture, actor.centre, np.sin(phase + rate * time)))
        frame = np.hstack(tiles).astype(np.float32)
        frame += rng.normal(0, _NOISE, frame.shape).astype(np.float32)
        image = np.clip(frame, 0, 255).astype(np.uint8)
        _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        yield time, np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]


def _tile(picture: Rgb, centre: Points, motion: Points) -> Rgb:
    """A face in the middle of its part of a frame, moved a little: 2 px, 2 %, 2°."""
    angle, scale = np.radians(2 * motion[2]), (1 + 0.02 * motion[3]) / _OVERSAMPLING
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = (TILE - 1) / 2 + 2 * motion[:2] - turn @ centre
    matrix = np.column_stack([turn, shift])
    return np.asarray(
        cv2.warpAffine(
            picture, matrix, (TILE, TILE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    )
