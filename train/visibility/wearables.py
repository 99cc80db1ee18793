"""What people wear on or around faces: masks, scarves, glasses, hats and hair.

Corners are in px of the mean face, 96 px wide (`edge.geometry.face_frame`).

Legend: P side of a padded crop (192).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from train.data.labelled_faces import PADDED
from train.visibility.layer import Layer, Scene, Values, draw_lines, fill, rounded, strokes
from train.visibility.surfaces import anything, cloth, plain

# A mask, clockwise from the right cheek; the first five corners are its upper edge.
_MASK = np.array(
    [[7, 55], [27, 51], [48, 43], [69, 51], [89, 55], [86, 84], [66, 108], [30, 108], [10, 84]],
    np.float64,
)
_UPPER_EDGE = slice(0, 5)
_EARS = np.array([[-4.0, 38.0], [100.0, 38.0]])
# A lens about the centre of an eye, and shapes of lenses: half width, half height, corners cut.
_LENSES = ((12.5, 9.0, 3), (12.0, 11.5, 3), (14.0, 11.0, 2), (13.5, 7.0, 1), (15.0, 13.0, 2))
_EYES = ((29.6, 37.1), (66.2, 36.8))
_BRIDGE = ((40.0, 37.0), (48.0, 35.0), (56.0, 37.0))


def mask(scene: Scene, rng: np.random.Generator) -> Layer:
    """A mask over nose and mouth; one in six is worn below the nose, and one has no strings."""
    corners = _MASK + rng.normal(0, 2.2, _MASK.shape)
    if rng.random() < 0.15:
        corners[_UPPER_EDGE, 1] += rng.uniform(10, 20)
    else:
        corners[_UPPER_EDGE, 1] += rng.uniform(-3, 4)
    if rng.random() < 0.3:  # one with a beak
        corners[[2, 6, 7], 0] += rng.normal(0, 4)
        corners[:, 1] += rng.uniform(-2, 4)
    opacity = fill(rounded(scene.place(corners), int(rng.integers(0, 3))))
    grey = cloth(scene, rng)
    if rng.random() < 0.5:  # the usual light ones
        grey = np.clip(rng.uniform(140, 250) + 0.35 * (grey - grey.mean()), 0, 255)
    grey = np.asarray(grey * _bulge(scene, rng), np.float32)
    if rng.random() < 0.6:
        ends = scene.place(_EARS)
        lines = [
            np.stack([scene.place(corners[[i]])[0], end])
            for i, end in zip((0, 4), ends, strict=True)
        ]
        string = strokes(lines, rng.uniform(1, 2.5))
        grey = np.where(opacity > 0.5, grey, rng.uniform(60, 250)).astype(np.float32)
        opacity = np.maximum(opacity, string)
    return Layer(opacity, grey)


def _bulge(scene: Scene, rng: np.random.Generator) -> Values:
    """Light that falls off to the sides of the lower face, `(P, P)`."""
    middle = scene.place(np.array([[48.0, 72.0]]))[0] + rng.normal(0, 8, 2)
    y, x = np.mgrid[:PADDED, :PADDED].astype(np.float32)
    distance = np.hypot(x - middle[0], y - middle[1]) / (45 * scene.unit)
    return np.asarray(1 - rng.uniform(0, 0.35) * np.clip(distance, 0, 1.5) ** 2, np.float32)


def scarf(scene: Scene, rng: np.random.Generator) -> Layer:
    """Cloth over all below a line between nose and chin, or a collar pulled up."""
    height = rng.uniform(46, 90)
    x = np.linspace(-60, 160, 9)
    sag = rng.uniform(-0.004, 0.006)
    line = height + sag * (x - 48) ** 2 + rng.normal(0, 1.5, 9) + rng.normal(0, 0.12) * (x - 48)
    ends = [[160.0, 220.0], [-60.0, 220.0]]
    if rng.random() < 0.5:  # narrower: a scarf's loops beside the face are left out
        x = np.linspace(rng.uniform(-30, 8), rng.uniform(88, 130), 9)
        ends = [[x[-1], 150.0], [x[0], 150.0]]
    corners = np.vstack([np.column_stack([x, line]), ends])
    return Layer(fill(scene.place(corners)), cloth(scene, rng))


def sunglasses(scene: Scene, rng: np.random.Generator) -> Layer:
    """Dark or mirroring glasses that nothing is seen through."""
    lenses, frame = _glasses(scene, rng)
    lens = plain(scene, rng)
    if rng.random() < 0.75:  # mostly dark
        lens = lens * np.float32(rng.uniform(0.1, 0.35))
    if rng.random() < 0.2:
        lens = 0.6 * lens + 0.4 * anything(scene, rng)
    grey = np.where(frame > 0.5, rng.uniform(0, 160), lens)
    opacity = np.maximum(lenses * rng.uniform(0.85, 1.0), frame)
    return Layer(np.asarray(opacity, np.float32), np.asarray(grey, np.float32))


def clear_glasses(scene: Scene, rng: np.random.Generator) -> Layer:
    """Glasses through which the eyes are seen: a frame, sometimes a tint or a reflection."""
    lenses, frame = _glasses(scene, rng)
    tint = rng.uniform(0.0, 0.3) if rng.random() < 0.5 else 0.0
    opacity = np.maximum(lenses * tint, frame * rng.uniform(0.6, 1.0))
    tone = 255.0 if rng.random() < 0.3 else rng.uniform(0, 80)
    grey = np.where(frame > 0.3, rng.uniform(0, 130), tone)
    return Layer(np.asarray(opacity, np.float32), np.asarray(grey, np.float32), hides=False)


def _glasses(scene: Scene, rng: np.random.Generator) -> tuple[Values, Values]:
    """The lenses, and the frame around them with bridge and temples, `(P, P)` each."""
    half_width, half_height, cuts = _LENSES[rng.integers(len(_LENSES))]
    half = np.array([half_width, half_height]) * np.exp(rng.normal(0, 0.1, 2))
    down, outlines = rng.uniform(-1, 4), []
    shape = np.array([[-1, -1], [1, -1], [0.9, 1], [-0.9, 1]])
    pinch = rng.uniform(-0.3, 0.1)
    for side, centre in zip((-1, 1), _EYES, strict=True):
        corners = shape * half
        corners[2 if side < 0 else 3, 0] *= 1 + pinch  # narrower towards the nose
        outlines.append(rounded(scene.place(corners + centre + np.array([0, down])), cuts))
    lenses = np.maximum(*(fill(outline) for outline in outlines))
    closed = [np.vstack([outline, outline[:1]]) for outline in outlines]
    outer = [np.array([[_EYES[0][0] - half[0], 36.0 + down], [-4.0, 33.0]]),
             np.array([[_EYES[1][0] + half[0], 36.0 + down], [100.0, 33.0]])]  # fmt: skip
    rest = [scene.place(np.add(_BRIDGE, (0, down))), *(scene.place(line) for line in outer)]
    frame = strokes([*closed, *rest], rng.uniform(0.6, 3.2) * scene.unit)
    return lenses, frame


def hat(scene: Scene, rng: np.random.Generator) -> Layer:
    """A hat, cap, hood or bandage from the top down to between hair line and eyes."""
    rim = rng.uniform(12, 42)
    x = np.linspace(-20, 116, 9)
    bend = rng.uniform(-0.006, 0.004) * (x - 48) ** 2
    line = rim + bend + rng.normal(0, 0.1) * (x - 48) + rng.normal(0, 0.8, 9)
    corners = np.vstack([np.column_stack([x, line]), [[116, -120], [-20, -120]]])
    return Layer(fill(scene.place(corners)), anything(scene, rng))


def hair(scene: Scene, rng: np.random.Generator) -> Layer:
    """A lock of strands from above over a part of the face, or hair down one side."""
    start = rng.uniform(0, 96)
    tip = start + rng.normal(0, 22)
    depth, width = rng.uniform(30, 110), rng.uniform(8, 40)
    if rng.random() < 0.25:  # a fringe
        start = tip = 48 + rng.normal(0, 6)
        depth, width = rng.uniform(22, 48), rng.uniform(60, 90)
    strands = [_strand(start, tip, depth, width, rng) for _ in range(int(rng.integers(25, 70)))]
    lines = np.split(scene.place(np.concatenate(strands)), len(strands))
    thickness = rng.uniform(1.0, 2.6) * scene.unit
    tone = 255 * rng.beta(0.9, 2.0)
    shades = np.full((PADDED, PADDED), int(tone), np.uint8)
    for line in lines:
        shade = tone * np.exp(rng.normal(0, 0.3)) + rng.uniform(0, 12)
        draw_lines(shades, [line], thickness, min(255.0, float(shade)))
    return Layer(strokes(lines, thickness), shades.astype(np.float32))


def _strand(
    start: float, tip: float, depth: float, width: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    along = np.linspace(0, 1, 7)
    offset = rng.uniform(-0.5, 0.5) * width
    curl = rng.normal(0, 3) * np.sin(along * np.pi * rng.uniform(0.5, 2))
    x = start + offset + (tip - start) * along**1.5 + curl
    y = -25 + (depth * rng.uniform(0.8, 1.05) + 25) * along
    return np.column_stack([x, y])
