"""How far an engine's answers are from onnxruntime's on the same images.

Legend: N images, M boxes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from benchmarks.evaluation.detection_metrics import match

SURE_SCORE = 0.5  # of the boxes that are compared: the runtime's own threshold

Answers = Mapping[str, NDArray[Any]]  # of `benchmarks.engines.worker`
Boxes = tuple[NDArray[np.float32], NDArray[np.float32]]  # `(M, 4)` px and scores `(M,)`


def compare_keypoints(answers: Answers, count: int) -> dict[str, float]:
    """Distances of the keypoints of N crops, px of the crop: `mean_px` and `max_px`."""
    ours, theirs = (
        np.concatenate([answers[f"{who}_{i}_keypoints"].reshape(-1, 2) for i in range(count)])
        for who in ("onnxruntime", "engine")
    )
    apart = np.linalg.norm(theirs - ours, axis=-1)
    return {"mean_px": round(float(apart.mean()), 4), "max_px": round(float(apart.max()), 4)}


def compare_boxes(ours: list[Boxes], theirs: list[Boxes]) -> dict[str, float]:
    """The sure boxes of N images.

    Args:
        ours: onnxruntime's boxes of each image.
        theirs: the engine's.

    Returns:
        `faces`, the boxes of onnxruntime; `found`, those of the engine that match one;
        `extra`, those that match none; `max_px`, the greatest difference of x, y, width or height.
    """
    counts = {"faces": 0, "found": 0, "extra": 0}
    greatest = 0.0
    for first, second in zip(ours, theirs, strict=True):
        own, other = (boxes[scores >= SURE_SCORE] for boxes, scores in (first, second))
        pairs = match(own, other)
        counts["faces"] += len(own)
        counts["found"] += len(pairs)
        counts["extra"] += len(other) - len(pairs)
        for i, j in pairs:
            greatest = max(greatest, float(np.abs(own[i] - other[j]).max()))
    return {**counts, "max_px": round(greatest, 4)}


def read_boxes(answers: Answers, who: str, images: NDArray[np.uint8]) -> list[Boxes]:
    """Boxes of N images that a whole detector found.

    Args:
        answers: of the worker.
        who: "engine" or "onnxruntime".
        images: uint8 `(N, H, W, 1)`.
    """
    return [
        (answers[f"{who}_{i}_boxes"].reshape(-1, 4), answers[f"{who}_{i}_scores"].reshape(-1))
        for i in range(len(images))
    ]


def make_boxes(
    answers: Answers, who: str, images: NDArray[np.uint8], cells: str, file: str
) -> list[Boxes]:
    """Boxes of N images from the outputs of all cells.

    Args:
        answers: of the worker.
        who: "engine" or "onnxruntime".
        images: uint8 `(N, H, W, 1)`.
        cells: name of the outputs.
        file: the second part of the detector.
    """
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    found = []
    for i, image in enumerate(images):
        inputs = {"image": image[None], cells: answers[f"{who}_{i}_{cells}"]}
        boxes, scores = session.run(["boxes", "scores"], inputs)
        found.append((boxes, scores))
    return found
