"""Inputs from which static quantisation takes the ranges of the activations."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader

from edge.networks.face_detector import FaceDetector

_BATCH = 32  # calibration faces per run
DETECT_SIZES = (320, 640)  # px of the longer side, at which photos are calibrated and compared


class CalibrationBatches(CalibrationDataReader):
    """Batches for one input of a network, in the form that onnxruntime's quantiser reads."""

    def __init__(self, name: str, batches: Iterable[NDArray[np.uint8]]) -> None:
        """`batches` are fed one after another to the input called `name`."""
        self._name = name
        self._batches = iter(batches)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """The next batch by input name; None at the end."""
        batch = next(self._batches, None)
        return None if batch is None else {self._name: batch}


def face_batches(faces: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Faces uint8 `(N, S, S)` as inputs of the keypoint network, uint8 `(B, S, S, 1)` each."""
    return np.array_split(faces[..., None], -(-len(faces) // _BATCH))


def detector_batches(images: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Photos uint8 `(H, W)` as inputs of the detector, uint8 `(1, H, W, 1)` each.

    The two `DETECT_SIZES` alternate, so that both are calibrated.
    """
    return [
        FaceDetector.letterbox(image, DETECT_SIZES[i % len(DETECT_SIZES)])[0]
        for i, image in enumerate(images)
    ]
