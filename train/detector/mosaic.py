"""Training canvases: photos and single faces laid over one another, with drawings among them.

Every canvas shows faces of all sizes beside things that look like faces to a small network. All
chance comes from the generator that is passed in.

Legend: M boxes. A box is x, y, width, height in px (`train.detector.boxes`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.geometry.affine import Matrix, compose, scale_of, transform
from edge.geometry.boxes import pairwise_intersection
from edge.geometry.similarity import similarity
from train.detector.boxes import move_boxes, sizes_of
from train.detector.distractors import draw_distractors
from train.detector.false_negatives import Missed
from train.detector.false_positives import Lures
from train.detector.occluders import cover_faces
from train.detector.photometric import change_light
from train.detector.photos import Boxes, Photo

CANVAS = 320  # px; so that cells of the coarsest stride see more than padding
SMALLEST = 8.0  # px, size of a face that is still to be found
_LARGEST = 280.0  # px
_GONE, _DOUBTFUL = 0.6, 0.25  # share of a box that something else hides
_INSIDE = 0.6  # share of a box that must lie on the canvas to be learnt
_SHRINK_FIRST = 0.6
_BLOW_UP = 2.5  # at most: more shows pixels, not faces
_SMALL = 48.0  # px; half of the sizes are drawn below it, for small faces are the hardest
_MASKED = 0.25  # of the photos in which nobody wears a mask
_HATS = 0.12  # of all photos
_MISSED = 0.35  # of the photos, drawn for a face that a detector missed
_LURE = 0.5  # of the photos without faces, shown where a detector saw one


@dataclass(frozen=True, slots=True)
class Canvas:
    """One training picture: pixels uint8 `(320, 320)`, boxes and unsure boxes `(M, 4)` px."""

    pixels: NDArray[np.uint8]
    boxes: Boxes
    unsure: Boxes


@dataclass(frozen=True, slots=True)
class Stock:
    """What canvases are made of.

    Attributes:
        photos: whole photos.
        cumulative: how likely each photo is drawn, summed up to it, `(P,)`, rising to 1.
        cut_faces: pictures that hold little more than a face.
        negatives: photos without faces, uint8 `(H, W)` each.
        lures: what a detector takes for faces in them; None where nobody has looked.
        missed: which of the photos' faces a detector did not find; likewise.
        masked: the set in which people wear masks already.
    """

    photos: list[Photo]
    cumulative: NDArray[np.float64]
    cut_faces: list[Photo]
    negatives: list[NDArray[np.uint8]]
    lures: Lures | None = None
    missed: Missed | None = None
    masked: str = "facemask"


def make_canvas(stock: Stock, rng: np.random.Generator) -> Canvas:
    """Make one canvas."""
    kind = rng.random()
    if kind < 0.25:
        canvas = _mosaic(stock, rng)
    elif kind < 0.78:
        canvas = _on_ground(stock, rng)
    else:
        canvas = Canvas(_ground(stock, rng), *_no_boxes())
    if rng.random() < 0.6:
        for _ in range(int(rng.integers(1, 9))):
            canvas = _paste(canvas, stock, rng)
    if rng.random() < 0.35:
        draw_distractors(canvas.pixels, canvas.boxes, rng)
    return _sort_out(change_light(canvas.pixels, rng), canvas)


def _no_boxes() -> tuple[Boxes, Boxes]:
    return np.empty((0, 4), np.float32), np.empty((0, 4), np.float32)


def _ground(stock: Stock, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A part of a photo without faces that fills the canvas."""
    if not stock.negatives or rng.random() < 0.08:
        return np.full((CANVAS, CANVAS), rng.integers(0, 256), np.uint8)
    index, about, size = _draw_negative(stock, rng)
    photo = stock.negatives[index]
    least = CANVAS / min(photo.shape)
    if about is None:
        scale = least * np.exp(rng.uniform(0, 0.7))
        half = CANVAS / scale / 2
        about = [rng.uniform(half, side - half) if side > 2 * half else side / 2
                 for side in photo.shape[::-1]]  # fmt: skip
        target = [CANVAS / 2, CANVAS / 2]
    else:
        scale = np.clip(_size_between(SMALLEST, _LARGEST / 2, rng) / size, _SHRINK_FIRST, _BLOW_UP)
        target = (rng.uniform(0.05, 0.95, size=2) * CANVAS).tolist()
    matrix = similarity(scale, 0.0, (about[0], about[1]), (target[0], target[1]))
    return np.asarray(
        cv2.warpAffine(photo, matrix, (CANVAS, CANVAS), borderMode=cv2.BORDER_REFLECT_101), np.uint8
    )


def _draw_negative(stock: Stock, rng: np.random.Generator) -> tuple[int, list[float] | None, float]:
    """Which photo without faces; and the middle and size of what looks like a face there, px."""
    lures = stock.lures
    if lures is None or not len(lures.photos) or rng.random() > _LURE:
        return int(rng.integers(len(stock.negatives))), None, 0.0
    i = rng.integers(len(lures.photos))
    x, y, width, height = lures.boxes[i].tolist()
    return int(lures.photos[i]), [x + width / 2, y + height / 2], float(np.sqrt(width * height))


def _size_between(low: float, high: float, rng: np.random.Generator) -> float:
    """A size, px; half of them small, all octaves alike among each half."""
    if rng.random() < 0.5:
        high = min(high, _SMALL)
    return float(np.exp(rng.uniform(np.log(low), np.log(max(high, low * 1.1)))))


def _on_ground(stock: Stock, rng: np.random.Generator) -> Canvas:
    """A photo over a ground; one of its faces has a size drawn evenly from all octaves."""
    photo, face = _draw_photo(stock, rng)
    scale, about = _scale_for(photo, SMALLEST * 1.2, _LARGEST, rng, face)
    target = rng.uniform(0.1, 0.9, size=2) * CANVAS
    matrix = similarity(scale, _angle(rng), about, (target[0], target[1]))
    return _lay(Canvas(_ground(stock, rng), *_no_boxes()), photo, matrix)


def _mosaic(stock: Stock, rng: np.random.Generator) -> Canvas:
    """Photos side by side, two to four in a row."""
    cells = int(rng.integers(2, 5))
    edges = np.linspace(0, CANVAS, cells + 1).round().astype(int)
    canvas = Canvas(_ground(stock, rng), *_no_boxes())
    for top, bottom in pairwise(edges):
        for left, right in pairwise(edges):
            canvas = _fill_cell(canvas, (left, top, right, bottom), stock, rng)
    return canvas


def _fill_cell(
    canvas: Canvas, cell: tuple[int, int, int, int], stock: Stock, rng: np.random.Generator
) -> Canvas:
    left, top, right, bottom = cell
    side = right - left
    photo, face = _without_face(stock, rng), None
    if photo is None:
        photo, face = _draw_photo(stock, rng)
    scale, about = _scale_for(photo, SMALLEST * 1.2, side * 0.9, rng, face)
    target = np.array([left, top]) + rng.uniform(0.3, 0.7, size=2) * side
    matrix = similarity(scale, _angle(rng), about, (target[0], target[1]))
    alone = _lay(Canvas(canvas.pixels.copy(), *_no_boxes()), photo, matrix)
    canvas.pixels[top:bottom, left:right] = alone.pixels[top:bottom, left:right]
    window = np.array([[left, top, side, bottom - top]], np.float32)
    whole = _share_inside(alone.boxes, window) > _INSIDE
    unsure = _clip(np.concatenate([alone.unsure, alone.boxes[~whole]]), window[0])
    return Canvas(
        canvas.pixels,
        np.concatenate([canvas.boxes, alone.boxes[whole]]),
        np.concatenate([canvas.unsure, unsure]),
    )


def _clip(boxes: Boxes, window: NDArray[np.float32]) -> Boxes:
    """The parts of boxes that lie in a window `(4,)`."""
    low = np.maximum(boxes[:, :2], window[:2])
    high = np.minimum(boxes[:, :2] + boxes[:, 2:], window[:2] + window[2:])
    inside = np.concatenate([low, high - low], axis=1)[(high > low).all(axis=1)]
    return np.asarray(inside, dtype=np.float32)


def _paste(canvas: Canvas, stock: Stock, rng: np.random.Generator) -> Canvas:
    """A single face or none over what is there, its edges hard or soft."""
    photo = _without_face(stock, rng)
    if photo is None:
        if not stock.cut_faces:
            return canvas
        photo = _changed(stock.cut_faces[rng.integers(len(stock.cut_faces))], stock, rng)
    scale, about = _scale_for(photo, SMALLEST * 1.2, CANVAS / 3, rng)
    target = rng.uniform(0.05, 0.95, size=2) * CANVAS
    matrix = similarity(scale, _angle(rng), about, (target[0], target[1]))
    return _lay(canvas, photo, matrix, soft=rng.random() < 0.5)


def _lay(canvas: Canvas, photo: Photo, matrix: Matrix, soft: bool = False) -> Canvas:
    """Lay a photo over a canvas; what it hides is dropped or no longer sure."""
    height, width = photo.pixels.shape
    mixed = _mix(canvas.pixels, photo.pixels, matrix, soft)
    whole = np.array([[0, 0, width, height]], np.float32)
    hidden = _share_inside(canvas.boxes, move_boxes(whole, matrix))
    return Canvas(
        mixed,
        np.concatenate([canvas.boxes[hidden < _DOUBTFUL], move_boxes(photo.boxes, matrix)]),
        np.concatenate([
            canvas.unsure[_share_inside(canvas.unsure, move_boxes(whole, matrix)) < _GONE],
            canvas.boxes[(hidden >= _DOUBTFUL) & (hidden < _GONE)],
            move_boxes(photo.unsure, matrix),
        ]),
    )  # fmt: skip


def _mix(
    under: NDArray[np.uint8], pixels: NDArray[np.uint8], matrix: Matrix, soft: bool
) -> NDArray[np.uint8]:
    scale = scale_of(matrix)
    if scale < _SHRINK_FIRST:  # warping alone would skip pixels
        sides = np.array(pixels.shape[::-1])
        small = np.maximum(1, np.rint(sides * scale)).astype(int)
        widen = sides / small
        pixels = np.asarray(
            cv2.resize(pixels, small.tolist(), interpolation=cv2.INTER_AREA), np.uint8
        )
        matrix = compose(matrix, np.column_stack([np.diag(widen), (widen - 1) / 2]))
    mixed = under.copy()
    (left, top), (right, bottom) = _reach(matrix, pixels.shape)
    if right <= left or bottom <= top:
        return mixed
    part = mixed[top:bottom, left:right]
    matrix = matrix - np.array([[0, 0, left], [0, 0, top]])
    size = part.shape[::-1]
    if not soft:
        cv2.warpAffine(pixels, matrix, size, dst=part, borderMode=cv2.BORDER_TRANSPARENT)
        return mixed
    mask = cv2.warpAffine(_oval(*pixels.shape), matrix, size)
    over = cv2.warpAffine(pixels, matrix, size).astype(np.float32)
    part[:] = (part + (over - part) * mask).astype(np.uint8)
    return mixed


def _reach(matrix: Matrix, shape: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The part of the canvas that a moved picture covers: left and top, right and bottom, px."""
    height, width = shape
    corners = transform(matrix, [[0, 0], [width, 0], [0, height], [width, height]])
    low = np.clip(np.floor(corners.min(axis=0)) - 1, 0, CANVAS).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)) + 1, 0, CANVAS).astype(int)
    return (int(low[0]), int(low[1])), (int(high[0]), int(high[1]))


def _without_face(stock: Stock, rng: np.random.Generator) -> Photo | None:
    """Now and then a part of a photo without faces, so that edges alone do not mean a face."""
    if not stock.negatives or rng.random() < 0.8:
        return None
    index, about, size = _draw_negative(stock, rng)
    photo = stock.negatives[index]
    if about is None:
        side = int(rng.integers(24, min(photo.shape)))
        top, left = (int(rng.integers(0, length - side + 1)) for length in photo.shape)
    else:
        side = int(np.clip(size * rng.uniform(1.0, 2.5), 12, min(photo.shape)))
        top, left = (
            int(np.clip(middle - side / 2, 0, length - side))
            for middle, length in zip(about[::-1], photo.shape, strict=True)
        )
    return Photo(photo[top : top + side, left : left + side], *_no_boxes(), "negatives")


def _mirrored(photo: Photo) -> Photo:
    width = photo.pixels.shape[1]
    pixels = np.ascontiguousarray(photo.pixels[:, ::-1])
    return Photo(pixels, _flip(photo.boxes, width), _flip(photo.unsure, width), photo.source)


def _flip(boxes: Boxes, width: int) -> Boxes:
    flipped = boxes.copy()
    flipped[:, 0] = width - boxes[:, 0] - boxes[:, 2]
    return flipped


def _oval(height: int, width: int) -> NDArray[np.float32]:
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    inside = np.clip((1.05 - np.hypot(x, y)) * 4, 0, 1)
    return np.asarray(inside, dtype=np.float32)


def _draw_photo(stock: Stock, rng: np.random.Generator) -> tuple[Photo, int | None]:
    """A photo; and which of its faces it was drawn for, if for one."""
    missed = stock.missed
    if missed is not None and len(missed.photos) and rng.random() < _MISSED:
        i = rng.integers(len(missed.photos))
        photo, face = stock.photos[missed.photos[i]], int(missed.faces[i])
    else:
        photo, face = stock.photos[np.searchsorted(stock.cumulative, rng.random())], None
    return _changed(photo, stock, rng), face


def _changed(photo: Photo, stock: Stock, rng: np.random.Generator) -> Photo:
    """A photo, perhaps in a mirror, perhaps with masks and hats on."""
    photo = cover_faces(
        photo,
        masks=photo.source != stock.masked and rng.random() < _MASKED,
        hats=rng.random() < _HATS,
        rng=rng,
    )
    return _mirrored(photo) if rng.random() < 0.5 else photo


def _scale_for(
    photo: Photo, low: float, high: float, rng: np.random.Generator, face: int | None = None
) -> tuple[float, tuple[float, float]]:
    """A scale at which a face of the photo, or all of it, has a size between `low` and `high`.

    Args:
        photo: the photo.
        low: px.
        high: px.
        rng: chance.
        face: which of its faces; None for any.

    Returns:
        The scale, and the face's middle, px of the photo.
    """
    height, width = photo.pixels.shape
    boxes = photo.boxes if len(photo.boxes) else np.array([[0, 0, width, height]], np.float32)
    box = boxes[rng.integers(len(boxes)) if face is None else face]
    size = float(sizes_of(box[None])[0])
    scale = min(_size_between(low, high, rng) / size, _BLOW_UP)
    return scale, (float(box[0] + box[2] / 2), float(box[1] + box[3] / 2))


def _angle(rng: np.random.Generator) -> float:
    return float(rng.uniform(-45, 45) if rng.random() < 0.1 else rng.normal(0, 8))


def _share_inside(boxes: Boxes, window: Boxes) -> NDArray[np.float64]:
    """How much of each box `(M, 4)` lies in a window `(1, 4)`, `(M,)`, 0–1."""
    area = np.maximum(sizes_of(boxes) ** 2, 1e-9)
    return np.asarray(pairwise_intersection(boxes, window)[:, 0] / area)


def _sort_out(pixels: NDArray[np.uint8], canvas: Canvas) -> Canvas:
    """Leave the boxes to be learnt; those too small or mostly outside become unsure."""
    window = np.array([[0, 0, CANVAS, CANVAS]], np.float32)
    inside = _share_inside(canvas.boxes, window)
    good = (inside >= _INSIDE) & (sizes_of(canvas.boxes) >= SMALLEST)
    poor = ~good & (inside > 0)
    unsure = np.concatenate([canvas.unsure, canvas.boxes[poor]])
    return Canvas(pixels, canvas.boxes[good], unsure)
