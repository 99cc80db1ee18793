"""Synthetic videos with ground truth: photos of faces moved, rotated and scaled over a background.

Coordinates are px of the frame, pixel centres at integers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Matrix, transform
from edge.geometry.keypoint_frame import face_square
from edge.geometry.similarity import similarity
from edge.image import Rgb

RATE = 30.0  # frames per second
BACKGROUND: Rgb = np.full((48, 64, 3), 96, np.uint8)  # plain grey
BACKGROUND.flags.writeable = False
_SIZE = (480, 640)  # height and width of a frame, px
_NOISE = 3.0  # standard deviation, grey values
_FACE_PX = 110.0  # side of a face's square at scale 1
_CENTRE = (320.0, 240.0)
_CUT_SHIFT_S = 5.0  # by which the motions jump at a cut
# The mask of a head: an ellipse with soft edges, in parts of the side of the face's square.
_MASK_RADII = (0.62, 0.8)
_MASK_SHIFT = 0.05  # upwards, to include the hair
_MASK_SLOPE = 12.0
_OCCLUDED = 0.5  # mask value above which a point behind it cannot be seen

Pose = tuple[float, float, float, float]  # x and y of the face's centre px, scale, roll degrees
Motion = Callable[[float], Pose]  # from seconds


@dataclass(frozen=True, slots=True)
class Actor:
    """A face that appears in videos.

    Attributes:
        photo: uint8 `(H, W, 3)` RGB.
        keypoints: float64 `(15, 2)` px of the photo.
    """

    photo: Rgb
    keypoints: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AnnotatedFrame:
    """One frame and its ground truth.

    Attributes:
        image: uint8 `(480, 640, 3)` RGB.
        truth: for each actor its keypoints, float64 `(15, 2)` px, or None where it is occluded or
            outside the frame.
    """

    image: Rgb
    truth: list[NDArray[np.float64] | None]


@dataclass(frozen=True, slots=True)
class Scene:
    """A video to render.

    Attributes:
        motions: of each actor; later ones are in front.
        seconds: duration.
        cut_at: time of a scene change, s: the background is mirrored, and the actors jump.
    """

    motions: tuple[Motion, ...]
    seconds: float
    cut_at: float | None = None


def _still(_: float) -> Pose:
    return *_CENTRE, 1.0, 0.0


def _walk(t: float) -> Pose:
    # At its fastest 1.4 m/s across the view of a face 0.16 m wide: 8.75 face widths per second.
    amplitude = 220.0
    speed = 8.75 * 0.82 * _FACE_PX
    return 320 + amplitude * np.sin(t * speed / amplitude), 240.0, 1.0, 0.0


def _wander(t: float) -> Pose:
    return (
        320 + 120 * np.sin(1.1 * t), 240 + 60 * np.sin(1.7 * t + 1),
        np.exp(0.4 * np.sin(0.8 * t)), 25 * np.sin(0.9 * t),
    )  # fmt: skip


def _to_right(t: float) -> Pose:
    return 100 + 110 * t, 230.0, 1.0, 0.0


def _to_left(t: float) -> Pose:
    return 540 - 110 * t, 255.0, 1.15, 0.0


def _leave(t: float) -> Pose:
    shift = 700 * np.clip(np.sin((t - 1) * np.pi / 2.2), 0, 1) if 1 < t < 3.2 else 0.0
    return 320 + shift, 240.0, 1.0, 0.0


SCENES = {
    "still": Scene((_still,), 3.0),
    "walk": Scene((_walk,), 4.0),
    "wander": Scene((_wander,), 8.0),
    "cut": Scene((_wander,), 4.0, cut_at=2.0),
    "crossing": Scene((_to_right, _to_left), 4.0),
    "leaving": Scene((_leave,), 4.5),
}


def render(
    scene: Scene, actors: list[Actor], background: NDArray[np.uint8] = BACKGROUND, seed: int = 0
) -> Iterator[AnnotatedFrame]:
    """The frames of a scene.

    Args:
        scene: what to render.
        actors: one for each motion.
        background: uint8 `(H, W, 3)`, resized to the frame.
        seed: of the noise, which differs from frame to frame.
    """
    rng = np.random.default_rng(seed)
    backdrop = np.asarray(cv2.resize(background, _SIZE[::-1], interpolation=cv2.INTER_AREA))
    for number in range(round(scene.seconds * RATE)):
        t = number / RATE
        after_cut = scene.cut_at is not None and t >= scene.cut_at
        canvas = (backdrop[::-1] if after_cut else backdrop).astype(np.float32)
        truth = _draw_actors(canvas, scene, actors, t + _CUT_SHIFT_S if after_cut else t)
        noisy = canvas + rng.normal(0, _NOISE, canvas.shape).astype(np.float32)
        yield AnnotatedFrame(np.clip(np.rint(noisy), 0, 255).astype(np.uint8), truth)


def _draw_actors(
    canvas: NDArray[np.float32], scene: Scene, actors: list[Actor], t: float
) -> list[NDArray[np.float64] | None]:
    """Draw the actors over the canvas, in place; returns their keypoints where visible."""
    truth: list[NDArray[np.float64] | None] = []
    for motion, actor in zip(scene.motions, actors, strict=False):
        matrix = placement(actor, motion(t))
        mask = _composite(canvas, actor, matrix)
        truth = [None if p is None or _is_occluded(p, mask) else p for p in truth]
        points = transform(matrix, actor.keypoints)
        truth.append(points if _is_inside(points) else None)
    return truth


def _face_of(actor: Actor) -> tuple[float, NDArray[np.float64]]:
    """Side of the square around an actor's face and its centre `(2,)`, px of the photo."""
    square = face_square(actor.keypoints)
    if square is None:
        raise ValueError("an actor needs at least three keypoints")
    return float(square[2]), square[:2] + (square[2] - 1) / 2


def placement(actor: Actor, pose: Pose) -> Matrix:
    """The similarity from an actor's photo to the frame."""
    side, centre = _face_of(actor)
    x, y, scale, angle = pose
    return similarity(scale * _FACE_PX / side, angle, (centre[0], centre[1]), (x, y))


def _composite(canvas: NDArray[np.float32], actor: Actor, matrix: Matrix) -> NDArray[np.float32]:
    """Blend an actor's head into the canvas, in place; returns its mask `(H, W)`, 0–1."""
    size = _SIZE[::-1]
    mask = np.asarray(cv2.warpAffine(_head_mask(actor), matrix, size), np.float32)
    head = cv2.warpAffine(actor.photo, matrix, size, flags=cv2.INTER_LINEAR)
    canvas += (head.astype(np.float32) - canvas) * mask[..., None]
    return mask


def _head_mask(actor: Actor) -> NDArray[np.float32]:
    """An ellipse around the head, `(H, W)` of the photo, 0–1."""
    side, centre = _face_of(actor)
    height, width = actor.photo.shape[:2]
    y, x = np.ogrid[:height, :width]
    across = (x - centre[0]) / _MASK_RADII[0]
    down = (y - centre[1] + _MASK_SHIFT * side) / _MASK_RADII[1]
    mask = np.clip((1 - np.hypot(across, down) / side) * _MASK_SLOPE, 0, 1)
    return np.asarray(mask, np.float32)


def _is_inside(points: NDArray[np.float64]) -> bool:
    """Whether all points lie in the frame."""
    return bool(((points >= 0) & (points <= np.array(_SIZE[::-1]) - 1)).all())


def _is_occluded(points: NDArray[np.float64], mask: NDArray[np.float32]) -> bool:
    """Whether any point lies behind a mask."""
    columns, rows = np.rint(points).astype(int).T
    return bool((mask[rows, columns] > _OCCLUDED).any())
