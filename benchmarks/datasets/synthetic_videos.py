"""Videos whose truth is known: photos of faces moved, turned and scaled over a background.

Legend: T frames, A actors. Coordinates are px of the frame, pixel centres at integers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Matrix, transform
from edge.geometry.face_frame import face_square
from edge.geometry.similarity import similarity
from edge.image import Rgb

RATE = 30.0  # frames a second
_SIZE = (480, 640)
_NOISE = 3.0  # grey values
_FACE_PX = 110.0  # side of a face's square

Motion = Callable[[float], tuple[float, float, float, float]]  # seconds to x, y, scale, degrees


@dataclass(frozen=True, slots=True)
class Actor:
    """A face that plays in videos: its photo, uint8 `(H, W, 3)`, and keypoints `(15, 2)` px."""

    photo: Rgb
    keypoints: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame: the picture, uint8 `(480, 640, 3)`, and the keypoints of each actor that is seen.

    `truth` has one `(15, 2)` px for each actor, or None where it is away or hidden.
    """

    picture: Rgb
    truth: list[NDArray[np.float64] | None]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is played: the motion of each actor, later ones in front, for some seconds."""

    motions: tuple[Motion, ...]
    seconds: float
    cut_at: float | None = None


def _still(_: float) -> tuple[float, float, float, float]:
    return 320.0, 240.0, 1.0, 0.0


def _walk(t: float) -> tuple[float, float, float, float]:
    # 1.4 m/s across the view, at its fastest, for a face 0.16 m wide: 8.75 face widths a second.
    reach = 220.0
    speed = 8.75 * 0.82 * _FACE_PX
    return 320 + reach * np.sin(t * speed / reach), 240.0, 1.0, 0.0


def _wander(t: float) -> tuple[float, float, float, float]:
    return (
        320 + 120 * np.sin(1.1 * t), 240 + 60 * np.sin(1.7 * t + 1),
        np.exp(0.4 * np.sin(0.8 * t)), 25 * np.sin(0.9 * t),
    )  # fmt: skip


def _to_right(t: float) -> tuple[float, float, float, float]:
    return 100 + 110 * t, 230.0, 1.0, 0.0


def _to_left(t: float) -> tuple[float, float, float, float]:
    return 540 - 110 * t, 255.0, 1.15, 0.0


def _leave(t: float) -> tuple[float, float, float, float]:
    away = 700 * np.clip(np.sin((t - 1) * np.pi / 2.2), 0, 1) if 1 < t < 3.2 else 0.0
    return 320 + away, 240.0, 1.0, 0.0


SCENES = {
    "still": Scene((_still,), 3.0),
    "walk": Scene((_walk,), 4.0),
    "wander": Scene((_wander,), 8.0),
    "cut": Scene((_wander,), 4.0, cut_at=2.0),
    "crossing": Scene((_to_right, _to_left), 4.0),
    "leaving": Scene((_leave,), 4.5),
}


def play(
    scene: Scene, actors: list[Actor], background: NDArray[np.uint8], seed: int = 0
) -> Iterator[Shot]:
    """The frames of a scene.

    Args:
        scene: what is played; after its cut, the picture is mirrored and actors stand elsewhere.
        actors: who plays, one for each motion.
        background: uint8 `(H, W, 3)`, scaled to the frame.
        seed: of the noise, which differs from frame to frame.
    """
    rng = np.random.default_rng(seed)
    ground = np.asarray(cv2.resize(background, _SIZE[::-1], interpolation=cv2.INTER_AREA))
    for number in range(round(scene.seconds * RATE)):
        t = number / RATE
        after_cut = scene.cut_at is not None and t >= scene.cut_at
        picture = (ground[::-1] if after_cut else ground).astype(np.float32)
        truth: list[NDArray[np.float64] | None] = []
        for motion, actor in zip(scene.motions, actors, strict=False):
            matrix = _place(actor, motion(t + 5 if after_cut else t))
            mask = _lay(picture, actor, matrix)
            points = transform(matrix, actor.keypoints)
            truth = [None if other is None or _hides(mask, other) else other for other in truth]
            truth.append(points if _is_seen(points) else None)
        noisy = picture + rng.normal(0, _NOISE, picture.shape).astype(np.float32)
        yield Shot(np.clip(np.rint(noisy), 0, 255).astype(np.uint8), truth)


def _place(actor: Actor, pose: tuple[float, float, float, float]) -> Matrix:
    square = face_square(actor.keypoints)
    if square is None:
        raise ValueError("an actor has no face")
    x, y, scale, angle = pose
    middle = square[:2] + (square[2] - 1) / 2
    return similarity(scale * _FACE_PX / square[2], angle, (middle[0], middle[1]), (x, y))


def _lay(picture: NDArray[np.float32], actor: Actor, matrix: Matrix) -> NDArray[np.float32]:
    """Lay an actor's head over the picture, in place; returns where, `(H, W)`, 0–1."""
    square = face_square(actor.keypoints)
    if square is None:
        raise ValueError("an actor has no face")
    height, width = actor.photo.shape[:2]
    middle = square[:2] + (square[2] - 1) / 2
    y, x = np.ogrid[:height, :width]
    away = np.hypot((x - middle[0]) / 0.62, (y - middle[1] + 0.05 * square[2]) / 0.8) / square[2]
    oval = np.clip((1 - away) * 12, 0, 1).astype(np.float32)
    size = _SIZE[::-1]
    mask = np.asarray(cv2.warpAffine(oval, matrix, size), np.float32)
    head = cv2.warpAffine(actor.photo, matrix, size, flags=cv2.INTER_LINEAR)
    picture += (head.astype(np.float32) - picture) * mask[..., None]
    return mask


def _is_seen(points: NDArray[np.float64]) -> bool:
    return bool(((points >= 0) & (points <= np.array(_SIZE[::-1]) - 1)).all())


def _hides(mask: NDArray[np.float32], points: NDArray[np.float64]) -> bool:
    columns, rows = np.rint(points).astype(int).T
    return bool((mask[rows, columns] > 0.5).any())
