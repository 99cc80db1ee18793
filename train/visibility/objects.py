"""Things, people and borders in front of faces, and shadows, which hide nothing.

Legend: P side of a padded crop (192).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from train.data.labelled_faces import PADDED
from train.visibility.layer import Layer, Scene, Values, blob, capsule, fill, rounded, strokes
from train.visibility.surfaces import anything, patch, plain


def thing(scene: Scene, rng: np.random.Generator) -> Layer:
    """A phone, book, box, cup or bar: a turned rectangle, with more or less rounded corners."""
    size = np.exp(rng.uniform(np.log(8), np.log(60))) * scene.unit
    half = size * np.array([1.0, np.exp(rng.uniform(np.log(0.35), 0))])
    angle = rng.choice([0, np.pi / 2]) + rng.normal(0, 0.3)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half @ turn.T
    corners = corners * (1 + rng.normal(0, 0.06, (4, 2))) + _target(scene, rng)
    opacity = fill(rounded(corners, int(rng.integers(0, 4))))
    grey = anything(scene, rng)
    if rng.random() < 0.3:
        _write(grey, corners, rng)
    if rng.random() < 0.2:  # a cup's handle
        middle = tuple(int(v) for v in corners[1:3].mean(axis=0))
        ring = np.zeros((PADDED, PADDED), np.uint8)
        thickness = max(2, int(size / 8))
        cv2.circle(ring, middle, max(3, int(half[1] * 0.6)), 255, thickness, cv2.LINE_AA)
        opacity = np.maximum(opacity, ring.astype(np.float32) / 255)
    return Layer(opacity, grey)


def _write(grey: Values, corners: NDArray[np.floating], rng: np.random.Generator) -> None:
    """Lines of letters on a surface, in place."""
    tone, scale = rng.uniform(0, 255), rng.uniform(0.25, 1.0)
    left, top = corners.min(axis=0)
    ink = np.zeros((PADDED, PADDED), np.uint8)
    for row in range(6):
        letters = "".join(rng.choice(list("ABCDEFGHIKLMNORSTUabdeghmnost 0123"), 12))
        place = (int(left), int(top + (row + 1) * 26 * scale))
        cv2.putText(ink, letters, place, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 1, cv2.LINE_AA)
    grey += (np.float32(tone) - grey) * (ink.astype(np.float32) / 255)


def microphone(scene: Scene, rng: np.random.Generator) -> Layer:
    """A microphone: a stick that ends in a ball with a mesh, near the mouth or elsewhere."""
    rows = (10, 11, 12, 13, 14) if rng.random() < 0.7 else tuple(range(15))
    head = scene.keypoints[rng.choice(rows)] + rng.normal(0, 6, 2) * scene.unit
    radius = rng.uniform(5, 15) * scene.unit
    angle = np.pi / 2 + rng.normal(0, 0.7)
    end = head + np.array([np.cos(angle), np.sin(angle)]) * 120
    stick, _ = capsule(head, end, radius * rng.uniform(0.3, 0.85))
    ball, distance = capsule(head, head, radius)
    y, x = np.mgrid[:PADDED, :PADDED]
    period = rng.uniform(2, 5)
    net = np.sin(x * 2 * np.pi / period) * np.sin(y * 2 * np.pi / period)
    tone = 255 * rng.beta(0.8, 2)
    grey = np.where(ball > 0.5, tone + 12 * net + rng.uniform(0, 50) * (1 - distance), tone * 0.7)
    return Layer(np.maximum(stick, ball), np.asarray(np.clip(grey, 0, 255), np.float32))


def photo_patch(scene: Scene, rng: np.random.Generator) -> Layer:
    """A part of another photo in a random smooth shape."""
    radius = np.exp(rng.uniform(np.log(7), np.log(45))) * scene.unit
    return Layer(blob(_target(scene, rng), radius, rng), patch(scene, rng))


def person(scene: Scene, rng: np.random.Generator) -> Layer:
    """The head of somebody else in front, from one side or from below."""
    other = scene.faces[rng.integers(len(scene.faces))]
    scale = scene.unit * rng.uniform(0.7, 1.5)
    angle = rng.uniform(-0.4, np.pi + 0.4)  # from the right over below to the left
    distance = rng.uniform(35, 85) * scene.unit
    middle = scene.keypoints.mean(axis=0)
    centre = middle + distance * np.array([np.cos(angle), np.sin(angle)])
    matrix = np.array([[scale, 0.0, 0.0], [0.0, scale, 0.0]])
    if rng.random() < 0.5:
        matrix[0, 0] = -scale
    matrix[:, 2] = centre - matrix[:, :2] @ np.full(2, (PADDED - 1) / 2)
    grey = cv2.warpAffine(other, matrix, (PADDED, PADDED), borderMode=cv2.BORDER_REPLICATE)
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    outline = np.column_stack([40 * np.cos(angles), 56 * np.sin(angles) - 2])
    shoulders = np.array([[36, 30], [80, 70], [80, 160], [-80, 160], [-80, 70], [-36, 30]])
    opacity = fill(rounded(outline * scale + centre, 1))
    if rng.random() < 0.7:
        opacity = np.maximum(opacity, fill(rounded(shoulders * scale + centre, 2)))
    return Layer(opacity, grey.astype(np.float32))


def border(scene: Scene, rng: np.random.Generator) -> Layer:
    """The end of the image: black, of one grey, or its last row repeated, on one or two sides."""
    inside = np.ones((PADDED, PADDED), bool)
    y, x = np.mgrid[:PADDED, :PADDED]
    low, high = scene.keypoints.min(axis=0) - 4, scene.keypoints.max(axis=0) + 4
    left, top, right, bottom = -1.0, -1.0, float(PADDED), float(PADDED)
    for side in rng.choice(4, size=1 if rng.random() < 0.8 else 2, replace=False).tolist():
        share = rng.uniform(0.0, 0.6)
        depth = share * (high - low)
        left = low[0] + depth[0] if side == 0 else left
        right = high[0] - depth[0] if side == 1 else right
        top = low[1] + depth[1] if side == 2 else top
        bottom = high[1] - depth[1] if side == 3 else bottom
    inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
    grey = np.full((PADDED, PADDED), rng.choice([0.0, 0.0, 255.0, rng.uniform(0, 255)]), np.float32)
    if rng.random() < 0.6:
        columns = np.clip(x, max(0, int(np.ceil(left))), min(PADDED - 1, int(right)))
        rows = np.clip(y, max(0, int(np.ceil(top))), min(PADDED - 1, int(bottom)))
        grey = scene.image[rows, columns].astype(np.float32)
    return Layer((~inside).astype(np.float32), grey)


def shadow(scene: Scene, rng: np.random.Generator) -> Layer:
    """A shadow, or a spot of light, with a hard or soft edge: what is in it is seen."""
    if rng.random() < 0.5:
        opacity = blob(_target(scene, rng), rng.uniform(15, 60) * scene.unit, rng)
    else:
        ends = _target(scene, rng) + rng.normal(0, 90, (3, 2))
        opacity = fill(ends)
    opacity = np.asarray(cv2.GaussianBlur(opacity, (0, 0), rng.uniform(0.5, 8)))
    tone = 0.0 if rng.random() < 0.7 else 255.0
    strength = rng.uniform(0.15, 0.65 if tone == 0 else 0.4)
    return Layer(opacity * np.float32(strength), np.full_like(opacity, tone), hides=False)


def scratches(scene: Scene, rng: np.random.Generator) -> Layer:
    """Thin lines, as of wires, cracks or single hairs, between which all is seen."""
    lines = [rng.uniform(0, PADDED, (1, 2)) + rng.normal(0, 60, (2, 2)) for _ in range(6)]
    opacity = strokes([np.asarray(line) for line in lines], 1.0)
    grey = plain(scene, rng)
    return Layer(opacity * np.float32(rng.uniform(0.3, 1.0)), grey, hides=False)


def _target(scene: Scene, rng: np.random.Generator) -> NDArray[np.float64]:
    """A place near a random keypoint, `(2,)` px."""
    point = scene.keypoints[rng.integers(len(scene.keypoints))]
    return np.asarray(point + rng.normal(0, 9, 2) * scene.unit)
