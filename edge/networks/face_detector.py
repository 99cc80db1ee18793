"""The face detector: one `.onnx` file, from a grey image to boxes, scores and rolls.

A box reaches from the middle of the forehead to the chin and from cheek to cheek;
`edge.geometry.face_frame` says which square of the image the keypoint network then sees.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.image import Grey
from edge.networks.contract import COMMON_KEYS, OnnxModel, embedded_file, parse_metadata
from edge.networks.detections import Detections
from edge.networks.tiling import are_cut, merge, searched_length, tiles
from edge.resize import resize

EMBEDDED = embedded_file("face.onnx")
_OUTPUTS = ("boxes", "scores", "roll")  # older files have no roll
METADATA_KEYS = ("box_convention", *COMMON_KEYS)
_MAX_ROLL = "max_roll_deg"  # metadata: the largest roll of the faces that a file finds
_UPRIGHT_DEG = 45.0  # of a file that has no such metadata and gives no rolls
_EVERY_ROLL_DEG = 180.0
STEP = 32  # px; the coarsest stride
# The shorter side is padded to one of these fractions of the longer, so that the network runs at a
# few shapes only and memory stays flat.
SHORTER = (9 / 16, 11 / 16, 3 / 4, 7 / 8, 1.0)
ENLARGE = 2.0  # at most: more makes faces softer, not easier to find
# The network has learnt from faces with surroundings. One that fills the picture gets a lower
# score, and its parts high ones; at half the size it is found. Of the photos of HELEN one in thirty
# costs this second search at 320 px.
SURE_SCORE = 0.9
LARGE = 0.4  # of the picture's shorter side; only larger faces are taken from the second search
_CACHED_SHAPES = 128  # photos have few different ones
NEAR = 0.1  # relative difference from `detect_size` below which an image is not resized


class FaceDetector:
    """An open face detector.

    Attributes:
        path: the file it was read from.
        metadata: the file's metadata.
        finds_faces: always True, see `edge.networks.detections.Detector`.
        needs_rotation: whether the file finds faces up to a certain roll only, see there.
    """

    finds_faces = True

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Open a detector file and check that it keeps the contract.

        Args:
            path: a detector `.onnx` file.
            threads: threads that one run may use.

        Raises:
            ModelError: the file is missing, is no ONNX model, or breaks the contract.
        """
        self._model = OnnxModel(path, threads, "detector", METADATA_KEYS)
        self.path, self.metadata = self._model.path, self._model.metadata
        _check_tensors(self._model)
        names = {tensor.name for tensor in self._model.outputs}
        self._outputs = [name for name in _OUTPUTS if name in names]
        self.needs_rotation = _max_roll_deg(self._model) < _EVERY_ROLL_DEG
        self._model.check_runs(lambda: self._run(np.zeros((1, 2 * STEP, 2 * STEP, 1), np.uint8)))

    def __call__(self, grey: Grey, detect_size: int = 320) -> Detections:
        """Find faces.

        Args:
            grey: uint8 `(H, W)`.
            detect_size: length of the longer side at which the image is searched, px. Faces must
                be about 10 px wide there. An image within a tenth of it is not resized; a smaller
                one is enlarged, at most twice. Of an image more than 2.5 times as long as wide it
                is the length of a tile. Where no score is high, a second search at half the size
                looks for faces that fill the image.

        Returns:
            Detections with x and y of a box the centre of its top-left pixel; the highest score
            first.
        """
        axis = int(grey.shape[0] > grey.shape[1])  # of the longer side, 0 for x
        longer = grey.shape[1 - axis]
        found = []
        for tile in tiles(longer, grey.shape[axis], math.ceil(detect_size / ENLARGE)):
            start, length = tile
            part = slice(start, start + length)
            detections = self.search_once(grey[:, part] if axis == 0 else grey[part], detect_size)
            detections.boxes[:, axis] += start
            found.append(detections.take(~are_cut(detections.boxes, axis, tile, longer)))
        return merge(found) if found else self._detect_whole(grey, detect_size)

    @staticmethod
    def is_reduced(height: int, width: int, detect_size: int) -> bool:
        """Whether an image is searched at less than its size, so that small faces are missed."""
        sides = max(height, width), min(height, width)
        length = searched_length(*sides, math.ceil(detect_size / ENLARGE))
        return length > (1 + NEAR) * detect_size

    def _detect_whole(self, grey: Grey, detect_size: int) -> Detections:
        """Find faces in an image that is not cut into tiles."""
        detections = self.search_once(grey, detect_size)
        if (np.asarray(detections.scores) >= SURE_SCORE).any():
            return detections
        large = self.search_once(grey, detect_size // 2)
        sides = np.sqrt(large.boxes[:, 2] * large.boxes[:, 3])
        return merge([detections, large.take(sides >= LARGE * min(grey.shape))])

    def search_once(self, grey: Grey, detect_size: int) -> Detections:
        """Find faces in uint8 `(H, W)`, an image or a tile of one, in one run of the network."""
        height, width = grey.shape
        canvas, inner = self.letterbox(grey, detect_size)
        boxes, scores, *rolls = self._run(canvas)
        x, y = width / inner[1], height / inner[0]
        boxes = boxes * np.array([x, y, x, y], np.float32)
        boxes[:, :2] += np.array([(x - 1) / 2, (y - 1) / 2], np.float32)
        return Detections(boxes, scores, rolls=rolls[0] if rolls else None)

    @staticmethod
    def letterbox(grey: Grey, detect_size: int) -> tuple[NDArray[np.uint8], tuple[int, int]]:
        """What the network is given of an image.

        Returns:
            uint8 `(1, H, W, 1)`, the image scaled and padded with black; and the height and width
            of the image in it, px.
        """
        height, width = grey.shape
        longer = max(height, width)
        near = abs(longer - detect_size) <= NEAR * detect_size
        scale = 1.0 if near else min(detect_size / longer, ENLARGE)
        inner = (max(1, round(height * scale)), max(1, round(width * scale)))
        canvas = np.zeros((1, *working_shape(*inner), 1), np.uint8)
        canvas[0, : inner[0], : inner[1], 0] = resize(grey, inner)
        return canvas, inner

    def _run(self, canvas: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        return self._model.run(self._outputs, {"image": canvas})


@lru_cache(_CACHED_SHAPES)
def working_shape(height: int, width: int) -> tuple[int, int]:
    """The shape at which an image of `height`×`width` px is searched: one of a few."""
    longer = _round_up(max(height, width))
    shorter = next(
        side
        for side in (_round_up(longer * fraction) for fraction in SHORTER)
        if side >= min(height, width)
    )
    return (longer, shorter) if height > width else (shorter, longer)


def _round_up(length: float) -> int:
    return math.ceil(length / STEP) * STEP


def _max_roll_deg(model: OnnxModel) -> float:
    """The largest roll of the faces that a file finds, degrees."""
    if _MAX_ROLL not in model.metadata:
        has_roll = any(tensor.name == "roll" for tensor in model.outputs)
        return _EVERY_ROLL_DEG if has_roll else _UPRIGHT_DEG
    return float(parse_metadata(model, _MAX_ROLL, "degrees from 0 to 180", _is_roll))


def _is_roll(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value <= _EVERY_ROLL_DEG


def _check_tensors(model: OnnxModel) -> None:
    """Raise ModelError unless inputs and outputs are as agreed."""
    tensors = [*model.inputs, *model.outputs]
    actual = {tensor.name: (tensor.type, len(tensor.shape)) for tensor in tensors}
    expected = {
        "image": ("tensor(uint8)", 4),
        "boxes": ("tensor(float)", 2),
        "scores": ("tensor(float)", 1),
        "roll": ("tensor(float)", 1),
    }
    without_roll = {name: form for name, form in expected.items() if name != "roll"}
    if actual not in (expected, without_roll):
        raise ModelError(
            f"{model.path}: not a face detector: expected image (1, H, W, 1), boxes (M, 4), "
            f"scores (M,) and roll (M,), found {', '.join(f'{t.name} {t.shape}' for t in tensors)}"
        )
